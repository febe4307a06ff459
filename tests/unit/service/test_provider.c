#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/provider.h>
#include <ln/setting.h>

#include "service/talk.h"

static void
set(struct talk *t, const char *user, const char *name, const char *value)
{
	assert_int_equal(ln_setting_set(t->st, user, name, value, NULL),
	    LN_OK);
}

static void
configure(struct talk *t, const char *name, const char *value)
{
	assert_int_equal(ln_config_set(t->cfg, name, value, NULL), LN_OK);
}

/* "provider(origin) model(origin) url(origin) key(origin) local". */
static void
expect(struct talk *t, const char *user, const struct ln_provider_wish *wish,
    const char *want)
{
	static const struct ln_provider_wish none = { .size = sizeof(none) };
	struct ln_buf b = LN_BUF_INIT(1000);
	struct ln_provider_conf *c = NULL;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	s = ln_provider_resolve(t->st, t->cfg, user,
	    wish != NULL ? wish : &none, &c, &err);
	if (s != LN_OK) {
		ln_buf_printf(&b, "%s %s", ln_status_token(s),
		    err.field != NULL ? err.field : "-");
	} else {
		ln_buf_printf(&b, "%s(%s)", c->info->name,
		    ln_provider_origin_name(c->provider_origin));
		if (c->model != NULL)
			ln_buf_printf(&b, " %s(%s)", c->model,
			    ln_provider_origin_name(c->model_origin));
		if (c->base_url != NULL)
			ln_buf_printf(&b, " %s(%s)", c->base_url,
			    ln_provider_origin_name(c->url_origin));
		if (c->api_key != NULL)
			ln_buf_printf(&b, " %s(%s)", c->api_key,
			    ln_provider_origin_name(c->key_origin));
		if (c->may_be_local)
			ln_buf_puts(&b, " local");
	}
	ln_provider_conf_free(c);
	assert_string_equal(ln_buf_str(&b), want);
	ln_buf_free(&b);
}

static void
offline_is_what_nobody_chose(void **state)
{
	struct talk *t = *state;

	expect(t, "ann", NULL, "offline(default)");
	expect(t, NULL, NULL, "offline(default)");
}

static void
each_layer_wins_over_the_next(void **state)
{
	struct talk *t = *state;
	struct ln_provider_wish wish = { .size = sizeof(wish) };

	configure(t, "OLLAMA_API_URL", "http://env:1");
	configure(t, "LOCALNEURAL_MODEL", "env-model");
	expect(t, "ann", NULL, "ollama(environment) env-model(environment)"
	    " http://env:1(environment) local");
	set(t, NULL, "provider", "ollama");
	set(t, NULL, "base_url", "http://instance:1");
	set(t, NULL, "model", "instance-model");
	expect(t, "ann", NULL, "ollama(instance) instance-model(instance)"
	    " http://instance:1(instance) local");
	set(t, "ann", "model", "ann-model");
	expect(t, "ann", NULL, "ollama(instance) ann-model(user)"
	    " http://instance:1(instance) local");
	wish.conversation_model = "conversation-model";
	expect(t, "ann", &wish, "ollama(instance)"
	    " conversation-model(conversation)"
	    " http://instance:1(instance) local");
	wish.request_model = "request-model";
	expect(t, "ann", &wish, "ollama(instance) request-model(request)"
	    " http://instance:1(instance) local");
	wish.request_provider = "offline";
	wish.request_model = NULL;
	expect(t, "ann", &wish, "offline(request)");
	wish.request_provider = NULL;
	wish.conversation_provider = "offline";
	/* The conversation meant its model for another provider. */
	expect(t, "ann", &wish,
	    "offline(conversation) conversation-model(conversation)");
}

static void
a_model_is_not_carried_over_to_another_provider(void **state)
{
	struct talk *t = *state;
	struct ln_provider_wish wish = { .size = sizeof(wish) };

	set(t, NULL, "provider", "offline");
	set(t, NULL, "model", "none-of-ollama");
	wish.request_provider = "ollama";
	expect(t, "ann", &wish,
	    "ollama(request) http://localhost:11434(default) local");
}

static void
one_user_s_setting_never_changes_another_s_traffic(void **state)
{
	struct talk *t = *state;

	place_add_user(t->st, "bob");
	set(t, NULL, "provider", "ollama");
	set(t, NULL, "base_url", "http://instance:1");
	set(t, NULL, "api_key", "instance-key");
	set(t, "bob", "provider", "ollama");
	set(t, "bob", "base_url", "https://bob.example");
	set(t, "bob", "model", "bob-model");
	set(t, "bob", "api_key", "bob-key");
	expect(t, "ann", NULL, "ollama(instance) http://instance:1(instance)"
	    " instance-key(instance) local");
	expect(t, NULL, NULL, "ollama(instance) http://instance:1(instance)"
	    " instance-key(instance) local");
	expect(t, "bob", NULL, "ollama(user) bob-model(user)"
	    " https://bob.example(user) bob-key(user)");
	/* The instance's key never goes to an address a user chose. */
	set(t, "bob", "api_key", NULL);
	expect(t, "bob", NULL, "ollama(user) bob-model(user)"
	    " https://bob.example(user)");
	/* A user's key may go to the operator's address. */
	set(t, "bob", "base_url", NULL);
	set(t, "bob", "api_key", "bob-key");
	expect(t, "bob", NULL, "ollama(user) bob-model(user)"
	    " http://instance:1(instance) bob-key(user) local");
	/* A base URL without its provider is nothing. */
	set(t, "bob", "provider", NULL);
	set(t, "bob", "base_url", "https://bob.example");
	expect(t, "bob", NULL, "ollama(instance) bob-model(user)"
	    " http://instance:1(instance) instance-key(instance) local");
}

/* The same with keys of the environment, for every provider that has one. */
static void
keys_go_only_where_their_owner_sent_them(void **state)
{
	struct talk *t = *state;
	struct ln_provider_wish wish = { .size = sizeof(wish) };

	place_add_user(t->st, "bob");
	configure(t, "OPENAI_API_KEY", "env-openai");
	configure(t, "GROQ_API_KEY", "env-groq");
	configure(t, "OPENROUTER_API_KEY", "env-openrouter");
	wish.request_provider = "openai";
	expect(t, "ann", &wish, "openai(request)"
	    " https://api.openai.com/v1(default) env-openai(environment)");
	wish.request_provider = "groq";
	expect(t, NULL, &wish, "groq(request)"
	    " https://api.groq.com/openai/v1(default) env-groq(environment)");
	wish.request_provider = "openrouter";
	expect(t, "ann", &wish, "openrouter(request)"
	    " https://openrouter.ai/api/v1(default)"
	    " env-openrouter(environment)");
	/* The instance's key goes before the environment's ... */
	set(t, NULL, "provider", "openai");
	set(t, NULL, "api_key", "instance-key");
	expect(t, "ann", NULL, "openai(instance)"
	    " https://api.openai.com/v1(default) instance-key(instance)");
	/* ... and is for its provider only. */
	expect(t, "ann", &wish, "openrouter(request)"
	    " https://openrouter.ai/api/v1(default)"
	    " env-openrouter(environment)");
	/* Both may go where the operator says. */
	set(t, NULL, "base_url", "http://gateway:1/v1");
	expect(t, "ann", NULL, "openai(instance)"
	    " http://gateway:1/v1(instance) instance-key(instance) local");
	set(t, NULL, "api_key", NULL);
	expect(t, "ann", NULL, "openai(instance)"
	    " http://gateway:1/v1(instance) env-openai(environment) local");
	/* A person's own goes before all of them ... */
	set(t, "bob", "provider", "openai");
	set(t, "bob", "api_key", "bob-key");
	expect(t, "bob", NULL, "openai(user)"
	    " http://gateway:1/v1(instance) bob-key(user) local");
	/* ... and to a person's own address goes no other, whoever asks for
	 * it in whatever way. */
	set(t, "bob", "base_url", "https://bob.example/v1");
	expect(t, "bob", NULL, "openai(user)"
	    " https://bob.example/v1(user) bob-key(user)");
	set(t, NULL, "api_key", "instance-key");
	set(t, "bob", "api_key", NULL);
	expect(t, "bob", NULL, "openai(user) https://bob.example/v1(user)");
	wish.request_provider = "openai";
	expect(t, "bob", &wish,
	    "openai(request) https://bob.example/v1(user)");
	wish.request_provider = NULL;
	wish.conversation_provider = "openai";
	expect(t, "bob", &wish,
	    "openai(conversation) https://bob.example/v1(user)");
	/* Nobody else has seen anything of it. */
	expect(t, "ann", NULL, "openai(instance)"
	    " http://gateway:1/v1(instance) instance-key(instance) local");
	expect(t, NULL, NULL, "openai(instance)"
	    " http://gateway:1/v1(instance) instance-key(instance) local");
	/* A key of one provider is none of another. */
	wish.conversation_provider = "groq";
	expect(t, "bob", &wish, "groq(conversation)"
	    " https://api.groq.com/openai/v1(default) env-groq(environment)");
	wish.conversation_provider = "vllm";
	set(t, NULL, "allowed_endpoints", "http://localhost:8000");
	expect(t, "bob", &wish, "vllm(conversation)"
	    " http://localhost:8000/v1(default) local");
}

static void
a_choice_can_be_shown_without_its_key(void **state)
{
	struct talk *t = *state;
	const struct ln_provider_wish wish = { .size = sizeof(wish),
		.request_provider = "openai", .without_key = true };

	configure(t, "OPENAI_API_KEY", "env-openai");
	expect(t, "ann", &wish,
	    "openai(request) https://api.openai.com/v1(default)");
}

/* Or a person could have the server look around on its own machine. */
static void
a_local_server_is_the_operator_s_choice(void **state)
{
	struct talk *t = *state;
	struct ln_provider_wish wish = { .size = sizeof(wish),
		.request_provider = "llamacpp" };

	expect(t, "ann", &wish, "invalid base_url");
	wish.request_provider = NULL;
	set(t, "ann", "provider", "llamacpp");
	expect(t, "ann", NULL, "invalid base_url");
	/* The operator has chosen it, or has put it on the list. */
	set(t, NULL, "provider", "llamacpp");
	expect(t, "ann", NULL,
	    "llamacpp(user) http://localhost:8080/v1(default) local");
	set(t, NULL, "provider", NULL);
	configure(t, "LOCALNEURAL_PROVIDER", "llamacpp");
	expect(t, "ann", NULL,
	    "llamacpp(user) http://localhost:8080/v1(default) local");
	configure(t, "LOCALNEURAL_PROVIDER", NULL);
	expect(t, "ann", NULL, "invalid base_url");
	set(t, NULL, "allowed_endpoints", "http://localhost:8080");
	expect(t, "ann", NULL,
	    "llamacpp(user) http://localhost:8080/v1(default) local");
}

static void
a_provider_without_a_usual_address_needs_one(void **state)
{
	struct talk *t = *state;
	const struct ln_provider_wish wish = { .size = sizeof(wish),
		.request_provider = "openai-compatible" };

	expect(t, "ann", &wish, "invalid base_url");
	set(t, "ann", "provider", "openai-compatible");
	expect(t, "ann", NULL, "invalid base_url");
	set(t, "ann", "base_url", "https://llm.example/v1");
	expect(t, "ann", NULL,
	    "openai-compatible(user) https://llm.example/v1(user)");
}

static void
a_user_s_address_is_public_or_allowed(void **state)
{
	struct talk *t = *state;

	set(t, "ann", "provider", "ollama");
	set(t, "ann", "base_url", "http://10.0.0.5:11434");
	expect(t, "ann", NULL, "invalid base_url");
	set(t, NULL, "allowed_endpoints", "http://10.0.0.5:*");
	expect(t, "ann", NULL,
	    "ollama(user) http://10.0.0.5:11434(user) local");
	/* The environment's list counts besides. */
	set(t, "ann", "base_url", "http://localhost:11434");
	expect(t, "ann", NULL,
	    "ollama(user) http://localhost:11434(user) local");
	configure(t, "LOCALNEURAL_ALLOWED_ENDPOINTS", "http://gpu.lan");
	expect(t, "ann", NULL, "invalid base_url");
	set(t, "ann", "base_url", "http://gpu.lan");
	expect(t, "ann", NULL, "ollama(user) http://gpu.lan(user) local");
}

static void
an_unknown_provider_is_refused(void **state)
{
	struct talk *t = *state;

	set(t, "ann", "provider", "nosuch");
	expect(t, "ann", NULL, "invalid provider");
}

static enum ln_status
change(struct talk *t, const char *user, const char *provider,
    const char *url, const char *model, const char *key)
{
	const struct ln_provider_change c = {
		.size = sizeof(c), .provider = provider, .base_url = url,
		.model = model, .api_key = key,
	};

	return ln_provider_set(t->st, t->cfg, user, &c, NULL);
}

static void
setting_checks_before_it_stores(void **state)
{
	struct talk *t = *state;
	static const struct {
		const char *user;
		const char *provider, *url, *model, *key;
		enum ln_status want;
	} rows[] = {
		{ "ann", "nosuch", NULL, NULL, NULL, LN_INVALID },
		{ "ann", "ollama", "http://10.0.0.5", NULL, NULL, LN_INVALID },
		{ "ann", "ollama", "http://u:p@h.example", NULL, NULL,
		    LN_INVALID },
		{ "ann", "ollama", "https://h.example/?a=b", NULL, NULL,
		    LN_INVALID },
		{ "ann", "ollama", "ftp://h.example/", NULL, NULL, LN_INVALID },
		{ "ann", "ollama", NULL, "a\nb", NULL, LN_INVALID },
		{ "ann", "ollama", NULL, NULL, "k\r\nX: y", LN_INVALID },
		{ "ann", NULL, "https://h.example", NULL, NULL, LN_INVALID },
		/* What could not be used afterwards. */
		{ "ann", "openai-compatible", NULL, "m", NULL, LN_INVALID },
		{ NULL, "openai-compatible", NULL, "m", NULL, LN_INVALID },
		{ "ann", "llamacpp", NULL, NULL, NULL, LN_INVALID },
		{ NULL, NULL, NULL, NULL, "key", LN_INVALID },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(change(t, rows[i].user, rows[i].provider,
		    rows[i].url, rows[i].model, rows[i].key), rows[i].want);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM setting"), 0);
	assert_int_equal(place_int(t->st,
	    "SELECT count(*) FROM user_setting"), 0);
	/* The operator's own address may be local. */
	assert_int_equal(change(t, NULL, "ollama", "http://10.0.0.5:11434/",
	    "m", "key"), LN_OK);
	expect(t, "ann", NULL, "ollama(instance) m(instance)"
	    " http://10.0.0.5:11434/(instance) key(instance) local");
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM setting"
	    " WHERE value LIKE '%key%'"), 0);
	assert_int_equal(place_int(t->st, "SELECT count(*) FROM audit"
	    " WHERE action = 'provider.set' AND outcome = 'ok'"
	    " AND detail NOT LIKE '%=key%'"), 1);
}

static void
another_provider_drops_what_belonged_to_the_old_one(void **state)
{
	struct talk *t = *state;

	assert_int_equal(change(t, "ann", "ollama", "https://h.example", "m",
	    "k"), LN_OK);
	/* The same one again keeps them; "" clears one. */
	assert_int_equal(change(t, "ann", "ollama", NULL, "", NULL), LN_OK);
	expect(t, "ann", NULL,
	    "ollama(user) https://h.example(user) k(user)");
	assert_int_equal(change(t, "ann", "offline", NULL, NULL, NULL),
	    LN_OK);
	assert_int_equal(place_int(t->st,
	    "SELECT count(*) FROM user_setting"), 1);
	assert_int_equal(change(t, "ann", "", NULL, NULL, NULL), LN_OK);
	expect(t, "ann", NULL, "offline(default)");
	assert_int_equal(place_int(t->st,
	    "SELECT count(*) FROM user_setting"), 0);
}

static void
only_an_admin_sets_the_instance_s_provider(void **state)
{
	struct talk *t = *state;
	const struct ln_actor ann = { .kind = "user", .user_id = "ann" };

	place_add_user(t->st, "bob");
	ln_store_actor_set(t->st, &ann);
	assert_int_equal(change(t, NULL, "ollama", NULL, NULL, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(change(t, "bob", "ollama", NULL, NULL, NULL),
	    LN_FORBIDDEN);
	assert_int_equal(change(t, "ann", "ollama", NULL, NULL, NULL), LN_OK);
	place_exec(t->st, "UPDATE user SET role = 'admin' WHERE id = 'ann'");
	assert_int_equal(change(t, NULL, "ollama", NULL, NULL, NULL), LN_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, talk_setup, talk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(offline_is_what_nobody_chose),
		T(each_layer_wins_over_the_next),
		T(a_model_is_not_carried_over_to_another_provider),
		T(one_user_s_setting_never_changes_another_s_traffic),
		T(keys_go_only_where_their_owner_sent_them),
		T(a_choice_can_be_shown_without_its_key),
		T(a_local_server_is_the_operator_s_choice),
		T(a_provider_without_a_usual_address_needs_one),
		T(a_user_s_address_is_public_or_allowed),
		T(an_unknown_provider_is_refused),
		T(setting_checks_before_it_stores),
		T(another_provider_drops_what_belonged_to_the_old_one),
		T(only_an_admin_sets_the_instance_s_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
