# Made by `lnctl completion`; do not edit.
_lnctl()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD-1]}
	local path="" words="" options="" files="" has_value=""
	local i=1
	COMPREPLY=()
	while [ "$i" -lt "$COMP_CWORD" ]; do
		case "${COMP_WORDS[i]}" in
		--env-file | --db | --color) i=$((i + 2)); continue ;;
		esac
		case "$path ${COMP_WORDS[i]}" in
		" init") path="init" ;;
		" admin") path="admin" ;;
		"admin seed") path="admin seed" ;;
		" user") path="user" ;;
		"user list") path="user list" ;;
		"user show") path="user show" ;;
		"user create") path="user create" ;;
		"user passwd") path="user passwd" ;;
		"user reset-link") path="user reset-link" ;;
		"user block") path="user block" ;;
		"user unblock") path="user unblock" ;;
		"user role") path="user role" ;;
		"user rename") path="user rename" ;;
		"user delete") path="user delete" ;;
		"user sessions") path="user sessions" ;;
		"user logout") path="user logout" ;;
		" db") path="db" ;;
		"db info") path="db info" ;;
		"db validate") path="db validate" ;;
		"db import") path="db import" ;;
		"db export") path="db export" ;;
		"db check") path="db check" ;;
		"db reindex") path="db reindex" ;;
		"db migrate") path="db migrate" ;;
		"db vacuum") path="db vacuum" ;;
		"db stats") path="db stats" ;;
		" backup") path="backup" ;;
		"backup create") path="backup create" ;;
		"backup list") path="backup list" ;;
		"backup verify") path="backup verify" ;;
		"backup drill") path="backup drill" ;;
		"backup prune") path="backup prune" ;;
		"backup restore") path="backup restore" ;;
		"backup status") path="backup status" ;;
		"backup keygen") path="backup keygen" ;;
		" chat") path="chat" ;;
		" ask") path="ask" ;;
		" history") path="history" ;;
		"history list") path="history list" ;;
		"history show") path="history show" ;;
		"history search") path="history search" ;;
		"history export") path="history export" ;;
		"history fork") path="history fork" ;;
		"history tree") path="history tree" ;;
		"history import") path="history import" ;;
		"history rename") path="history rename" ;;
		"history tag") path="history tag" ;;
		"history untag") path="history untag" ;;
		"history tags") path="history tags" ;;
		"history pin") path="history pin" ;;
		"history unpin") path="history unpin" ;;
		"history archive") path="history archive" ;;
		"history unarchive") path="history unarchive" ;;
		"history delete") path="history delete" ;;
		" prompt") path="prompt" ;;
		"prompt list") path="prompt list" ;;
		"prompt show") path="prompt show" ;;
		"prompt add") path="prompt add" ;;
		"prompt delete") path="prompt delete" ;;
		" tool") path="tool" ;;
		"tool list") path="tool list" ;;
		"tool show") path="tool show" ;;
		"tool add") path="tool add" ;;
		"tool enable") path="tool enable" ;;
		"tool disable") path="tool disable" ;;
		"tool delete") path="tool delete" ;;
		" provider") path="provider" ;;
		"provider list") path="provider list" ;;
		"provider show") path="provider show" ;;
		"provider set") path="provider set" ;;
		"provider test") path="provider test" ;;
		" model") path="model" ;;
		"model list") path="model list" ;;
		" config") path="config" ;;
		"config show") path="config show" ;;
		"config get") path="config get" ;;
		"config check") path="config check" ;;
		"config rotate-secret") path="config rotate-secret" ;;
		" audit") path="audit" ;;
		"audit tail") path="audit tail" ;;
		"audit search") path="audit search" ;;
		"audit verify") path="audit verify" ;;
		" server") path="server" ;;
		"server run") path="server run" ;;
		"server check") path="server check" ;;
		"server status") path="server status" ;;
		" doctor") path="doctor" ;;
		" completion") path="completion" ;;
		" version") path="version" ;;
		" help") path="help" ;;
		esac
		i=$((i + 1))
	done
	case "$path $previous" in
	"init --admin-email") :; has_value=1 ;;
	"init --admin-username") :; has_value=1 ;;
	"init --password-file") files=1; has_value=1 ;;
	"init --from-backup") files=1; has_value=1 ;;
	"init --secret-key-file") files=1; has_value=1 ;;
	"init --passphrase-file") files=1; has_value=1 ;;
	"admin seed --email") :; has_value=1 ;;
	"admin seed --username") :; has_value=1 ;;
	"admin seed --password-file") files=1; has_value=1 ;;
	"user list --role") words="user admin"; has_value=1 ;;
	"user list --query") :; has_value=1 ;;
	"user list --limit" | "user list -n") :; has_value=1 ;;
	"user list --offset") :; has_value=1 ;;
	"user create --email") :; has_value=1 ;;
	"user create --full-name") :; has_value=1 ;;
	"user create --role") words="user admin"; has_value=1 ;;
	"user create --password-file") files=1; has_value=1 ;;
	"user passwd --password-file") files=1; has_value=1 ;;
	"user reset-link --expires") :; has_value=1 ;;
	"user block --reason") :; has_value=1 ;;
	"user block --until") :; has_value=1 ;;
	"user delete --export") files=1; has_value=1 ;;
	"user delete --confirm") :; has_value=1 ;;
	"db import --keep-admin") :; has_value=1 ;;
	"db export --format") words="sqlite json"; has_value=1 ;;
	"db export --user") :; has_value=1 ;;
	"backup create --dir" | "backup create -d") :; has_value=1 ;;
	"backup create --encrypt-to") :; has_value=1 ;;
	"backup create --passphrase-file") files=1; has_value=1 ;;
	"backup create --verify") words="quick full drill"; has_value=1 ;;
	"backup create --keep-last") :; has_value=1 ;;
	"backup create --keep-daily") :; has_value=1 ;;
	"backup create --keep-weekly") :; has_value=1 ;;
	"backup create --keep-monthly") :; has_value=1 ;;
	"backup list --dir" | "backup list -d") :; has_value=1 ;;
	"backup verify --dir" | "backup verify -d") :; has_value=1 ;;
	"backup verify --verify") words="quick full drill"; has_value=1 ;;
	"backup verify --secret-key-file") files=1; has_value=1 ;;
	"backup verify --passphrase-file") files=1; has_value=1 ;;
	"backup drill --dir" | "backup drill -d") :; has_value=1 ;;
	"backup drill --secret-key-file") files=1; has_value=1 ;;
	"backup drill --passphrase-file") files=1; has_value=1 ;;
	"backup prune --dir" | "backup prune -d") :; has_value=1 ;;
	"backup prune --keep-last") :; has_value=1 ;;
	"backup prune --keep-daily") :; has_value=1 ;;
	"backup prune --keep-weekly") :; has_value=1 ;;
	"backup prune --keep-monthly") :; has_value=1 ;;
	"backup restore --to") :; has_value=1 ;;
	"backup restore --secret-key-file") files=1; has_value=1 ;;
	"backup restore --passphrase-file") files=1; has_value=1 ;;
	"backup status --max-age") :; has_value=1 ;;
	"backup keygen --output" | "backup keygen -o") files=1; has_value=1 ;;
	"chat --id") :; has_value=1 ;;
	"chat --model" | "chat -m") :; has_value=1 ;;
	"chat --system" | "chat -s") :; has_value=1 ;;
	"chat --prompt" | "chat -p") :; has_value=1 ;;
	"chat --provider") :; has_value=1 ;;
	"chat --user") :; has_value=1 ;;
	"chat --temp") :; has_value=1 ;;
	"chat --attach" | "chat -a") files=1; has_value=1 ;;
	"ask --id") :; has_value=1 ;;
	"ask --model" | "ask -m") :; has_value=1 ;;
	"ask --system" | "ask -s") :; has_value=1 ;;
	"ask --prompt" | "ask -p") :; has_value=1 ;;
	"ask --provider") :; has_value=1 ;;
	"ask --user") :; has_value=1 ;;
	"ask --temp") :; has_value=1 ;;
	"ask --attach" | "ask -a") files=1; has_value=1 ;;
	"history list --user") :; has_value=1 ;;
	"history list --tag") :; has_value=1 ;;
	"history list --limit" | "history list -n") :; has_value=1 ;;
	"history show --user") :; has_value=1 ;;
	"history search --user") :; has_value=1 ;;
	"history search --model" | "history search -m") :; has_value=1 ;;
	"history search --tag") :; has_value=1 ;;
	"history search --limit" | "history search -n") :; has_value=1 ;;
	"history export --user") :; has_value=1 ;;
	"history export --format") words="md json html"; has_value=1 ;;
	"history export --output" | "history export -o") files=1; has_value=1 ;;
	"history fork --user") :; has_value=1 ;;
	"history fork --at") :; has_value=1 ;;
	"history tree --user") :; has_value=1 ;;
	"history import --user") :; has_value=1 ;;
	"history rename --user") :; has_value=1 ;;
	"history tag --user") :; has_value=1 ;;
	"history untag --user") :; has_value=1 ;;
	"history tags --user") :; has_value=1 ;;
	"history pin --user") :; has_value=1 ;;
	"history unpin --user") :; has_value=1 ;;
	"history archive --user") :; has_value=1 ;;
	"history unarchive --user") :; has_value=1 ;;
	"history delete --user") :; has_value=1 ;;
	"prompt list --user") :; has_value=1 ;;
	"prompt show --user") :; has_value=1 ;;
	"prompt add --user") :; has_value=1 ;;
	"prompt delete --user") :; has_value=1 ;;
	"tool list --user") :; has_value=1 ;;
	"tool show --user") :; has_value=1 ;;
	"tool add --user") :; has_value=1 ;;
	"tool enable --user") :; has_value=1 ;;
	"tool disable --user") :; has_value=1 ;;
	"tool delete --user") :; has_value=1 ;;
	"provider show --user") :; has_value=1 ;;
	"provider set --base-url") :; has_value=1 ;;
	"provider set --model" | "provider set -m") :; has_value=1 ;;
	"provider set --user") :; has_value=1 ;;
	"provider set --key-file") files=1; has_value=1 ;;
	"provider test --user") :; has_value=1 ;;
	"model list --provider") :; has_value=1 ;;
	"model list --user") :; has_value=1 ;;
	"audit tail --limit" | "audit tail -n") :; has_value=1 ;;
	"audit search --actor") :; has_value=1 ;;
	"audit search --action") :; has_value=1 ;;
	"audit search --since") :; has_value=1 ;;
	"audit search --until") :; has_value=1 ;;
	"audit search --limit" | "audit search -n") :; has_value=1 ;;
	"server run --listen") :; has_value=1 ;;
	"server run --workers") :; has_value=1 ;;
	"server run --tls-cert") files=1; has_value=1 ;;
	"server run --tls-key") files=1; has_value=1 ;;
	"server check --listen") :; has_value=1 ;;
	"server status --listen") :; has_value=1 ;;
	esac
	case "$previous" in
	"--env-file") files=1; has_value=1 ;;
	"--db") files=1; has_value=1 ;;
	"--color") words="auto always never"; has_value=1 ;;
	esac
	if [ -z "$has_value" ]; then
		case "$path" in
		"") words="init admin user db backup chat ask history prompt tool provider model config audit server doctor completion version help " ;;
		"init") options=" --admin-email --admin-username --password-stdin --password-file --random --from-backup --secret-key-file --passphrase-file" ;;
		"admin") words="seed " ;;
		"admin seed") options=" --email --username --promote --password-stdin --password-file --random" ;;
		"user") words="list show create passwd reset-link block unblock role rename delete sessions logout " ;;
		"user list") options=" --role --blocked --query --limit -n --offset" ;;
		"user show") options="" ;;
		"user create") options=" --email --full-name --role --password-stdin --password-file --random" ;;
		"user passwd") options=" --password-stdin --password-file --random" ;;
		"user reset-link") options=" --expires" ;;
		"user block") options=" --reason --until --revoke-sessions" ;;
		"user unblock") options="" ;;
		"user role") options="" ;;
		"user rename") options="" ;;
		"user delete") options=" --export --confirm" ;;
		"user sessions") options="" ;;
		"user logout") options=" --all" ;;
		"db") words="info validate import export check reindex migrate vacuum stats " ;;
		"db info") options="" ;;
		"db validate") options=" --ignore-unknown"; files=1 ;;
		"db import") options=" --dry-run --keep-admin --ignore-unknown"; files=1 ;;
		"db export") options=" --format --user --with-secrets"; files=1 ;;
		"db check") options=" --full" ;;
		"db reindex") options="" ;;
		"db migrate") options=" --dry-run" ;;
		"db vacuum") options="" ;;
		"db stats") options="" ;;
		"backup") words="create list verify drill prune restore status keygen " ;;
		"backup create") options=" --dir -d --encrypt-to --passphrase-file --verify --prune --keep-last --keep-daily --keep-weekly --keep-monthly" ;;
		"backup list") options=" --dir -d" ;;
		"backup verify") options=" --latest --dir -d --verify --secret-key-file --passphrase-file"; files=1 ;;
		"backup drill") options=" --latest --dir -d --secret-key-file --passphrase-file"; files=1 ;;
		"backup prune") options=" --dir -d --keep-last --keep-daily --keep-weekly --keep-monthly --dry-run" ;;
		"backup restore") options=" --to --secret-key-file --passphrase-file"; files=1 ;;
		"backup status") options=" --max-age" ;;
		"backup keygen") options=" --output -o" ;;
		"chat") options=" --continue -c --id --model -m --system -s --prompt -p --provider --user --temp --no-save --attach -a" ;;
		"ask") options=" --continue -c --id --model -m --system -s --prompt -p --provider --user --temp --no-save --attach -a --no-stream --extract -x" ;;
		"history") words="list show search export fork tree import rename tag untag tags pin unpin archive unarchive delete " ;;
		"history list") options=" --user --archived --tag --limit -n" ;;
		"history show") options=" --user" ;;
		"history search") options=" --user --model -m --tag --limit -n" ;;
		"history export") options=" --user --format --output -o" ;;
		"history fork") options=" --user --at" ;;
		"history tree") options=" --user" ;;
		"history import") options=" --user --dry-run"; files=1 ;;
		"history rename") options=" --user" ;;
		"history tag") options=" --user" ;;
		"history untag") options=" --user" ;;
		"history tags") options=" --user" ;;
		"history pin") options=" --user" ;;
		"history unpin") options=" --user" ;;
		"history archive") options=" --user" ;;
		"history unarchive") options=" --user" ;;
		"history delete") options=" --user" ;;
		"prompt") words="list show add delete " ;;
		"prompt list") options=" --user --global" ;;
		"prompt show") options=" --user --global" ;;
		"prompt add") options=" --user --global"; files=1 ;;
		"prompt delete") options=" --user --global" ;;
		"tool") words="list show add enable disable delete " ;;
		"tool list") options=" --user --global" ;;
		"tool show") options=" --user --global" ;;
		"tool add") options=" --user --global --ask --no-ask"; files=1 ;;
		"tool enable") options=" --user --global --ask --no-ask" ;;
		"tool disable") options=" --user --global --ask --no-ask" ;;
		"tool delete") options=" --user --global" ;;
		"provider") words="list show set test " ;;
		"provider list") options="" ;;
		"provider show") options=" --user --origin" ;;
		"provider set") options=" --base-url --model -m --user --global --key-stdin --key-file --clear-key" ;;
		"provider test") options=" --user" ;;
		"model") words="list " ;;
		"model list") options=" --provider --user" ;;
		"config") words="show get check rotate-secret " ;;
		"config show") options=" --origin" ;;
		"config get") options="" ;;
		"config check") options="" ;;
		"config rotate-secret") options="" ;;
		"audit") words="tail search verify " ;;
		"audit tail") options=" --limit -n --follow -f" ;;
		"audit search") options=" --actor --action --since --until --limit -n" ;;
		"audit verify") options="" ;;
		"server") words="run check status " ;;
		"server run") options=" --init --listen --workers --tls-cert --tls-key --insecure-http" ;;
		"server check") options=" --listen" ;;
		"server status") options=" --listen" ;;
		"doctor") options=" --fix" ;;
		"completion") options="" ;;
		"version") options="" ;;
		"help") options="" ;;
		esac
		case "$current" in
		-*) files=""; words="$options --env-file --db --json --jsonl --no-input --yes -y --color --quiet -q --verbose -v --help -h --version -V" ;;
		esac
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	fi
	if [ -n "$files" ]; then
		compopt -o filenames 2>/dev/null
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _lnctl lnctl
