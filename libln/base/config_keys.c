#include <ln/config.h>

#include "base/banned.h"

/* The columns is_secret and is_path in one word. */
#define TEXT false, false
#define SECRET true, false
#define PATH false, true

/* clang-format off */
static const struct ln_config_key keys[] = {
	{ "SECRET_KEY", NULL, SECRET,
	  "What every key is derived from: at least 32 random characters" },
	{ "LOCALNEURAL_DB", ".data/neural_memory.db", PATH,
	  "The database file" },
	{ "LOCALNEURAL_LISTEN", "localhost:59869", TEXT,
	  "Address and port to serve on" },
	{ "LOCALNEURAL_WORKERS", NULL, TEXT,
	  "Number of worker processes; unset: by the number of processors" },
	{ "LOCALNEURAL_TLS_CERT", NULL, PATH,
	  "TLS certificate chain (PEM); unset: a self-signed one is made" },
	{ "LOCALNEURAL_TLS_KEY", NULL, PATH,
	  "Private key of the certificate (PEM)" },
	{ "LOCALNEURAL_PUBLIC_URL", NULL, TEXT,
	  "Address that people use, for links in mails" },
	{ "LOCALNEURAL_ALLOWED_HOSTS", NULL, TEXT,
	  "More host names to answer to, separated by commas" },
	{ "LOCALNEURAL_TRUSTED_PROXIES", NULL, TEXT,
	  "Addresses whose X-Forwarded-For counts, separated by commas" },
	{ "LOCALNEURAL_ALLOWED_ENDPOINTS", "http://localhost:11434",
	  TEXT,
	  "Local model servers that users may choose, separated by commas" },
	{ "LOCALNEURAL_ALLOWED_PAGES", NULL, TEXT,
	  "Local web servers whose pages people may read, as above" },
	{ "LOCALNEURAL_PWHASH", NULL, TEXT,
	  "Set to small on hosts with less than 512 MiB of memory" },
	{ "LOCALNEURAL_ADMIN_EMAIL", NULL, TEXT,
	  "E-mail of the administrator made at the first start" },
	{ "LOCALNEURAL_ADMIN_USERNAME", "admin", TEXT,
	  "User name of the administrator made at the first start" },
	{ "LOCALNEURAL_ADMIN_PASSWORD", NULL, SECRET,
	  "Password of the administrator made at the first start" },
	{ "LOCALNEURAL_USER", NULL, TEXT,
	  "Account that lnctl acts as" },
	{ "LOCALNEURAL_LOG_LEVEL", "info", TEXT,
	  "Least level to log: debug, info, warn or error" },
	{ "LOCALNEURAL_PROVIDER", NULL, TEXT,
	  "Model provider when neither instance nor user chose one" },
	{ "LOCALNEURAL_MODEL", NULL, TEXT,
	  "Model when neither instance nor user chose one" },
	{ "OLLAMA_API_URL", NULL, TEXT,
	  "Base URL of Ollama" },
	{ "OPENAI_API_KEY", NULL, SECRET,
	  "API key of OpenAI" },
	{ "ANTHROPIC_API_KEY", NULL, SECRET,
	  "API key of Anthropic" },
	{ "GEMINI_API_KEY", NULL, SECRET,
	  "API key of Google Gemini" },
	{ "OPENROUTER_API_KEY", NULL, SECRET,
	  "API key of OpenRouter" },
	{ "GROQ_API_KEY", NULL, SECRET,
	  "API key of Groq" },
	/* A nightly one, and two hours for it to run. */
	{ "LOCALNEURAL_BACKUP_MAX_AGE", "26h", TEXT,
	  "How old the last verified backup may be, such as 26h or 8d" },
	{ "LOCALNEURAL_SMTP_URL", NULL, TEXT,
	  "Mail server, smtp://host:port or smtps://host:port" },
	{ "LOCALNEURAL_SMTP_USER", NULL, TEXT,
	  "User name at the mail server" },
	{ "LOCALNEURAL_SMTP_PASSWORD", NULL, SECRET,
	  "Password at the mail server" },
	{ "LOCALNEURAL_SMTP_CA", NULL, PATH,
	  "Certificates (PEM) to check the mail server by; unset: the system's" },
	{ "LOCALNEURAL_MAIL_FROM", NULL, TEXT,
	  "Sender address of mails" },
	{ "LOCALNEURAL_CONNECT_TIMEOUT_MS", "10000", TEXT,
	  "Longest wait for a connection to a model provider" },
	{ "LOCALNEURAL_SPEECH_MODEL", NULL, TEXT,
	  "Model that writes down speech; unset: the provider's usual one" },
	{ "LOCALNEURAL_AUTO_TITLE", "1", TEXT,
	    "Ask the model for a title after a first answer" },
	{ "LOCALNEURAL_STALL_TIMEOUT_MS", "60000", TEXT,
	  "Longest silence of a model provider inside an answer" },
	{ "LOCALNEURAL_SEARCH", "off", TEXT,
	  "Who answers the tool web_search: off, duckduckgo or searxng" },
	{ "LOCALNEURAL_SEARCH_URL", NULL, TEXT,
	  "Base URL of SearXNG; it may be a local one" },
	{ "LOCALNEURAL_READ_FOLDERS", NULL, TEXT,
	  "Absolute folders that the tool read_file reads, separated by "
	  "colons" },
	{ NULL, NULL, TEXT, NULL },
};
/* clang-format on */

const struct ln_config_key *
ln_config_keys(void)
{
	return keys;
}
