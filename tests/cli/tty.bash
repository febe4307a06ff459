# For bats files that press keys: a real terminal, played by tmux.  After
# ln_setup: terminal "words" starts lnctl with them; the screen then ends with
# "left with STATUS".  COLUMNS_WANTED, ROWS_WANTED and LN_TERM say what kind of
# terminal it is.

terminal()
{
	export XDG_STATE_HOME=$DIR/state TMUX_TMPDIR=$DIR
	# A server of its own: one that was told to end may still be there.
	TERMINAL=$((${TERMINAL:-0} + 1))
	TERM=xterm tmux -L "$TERMINAL" -f /dev/null new-session -d \
	    -x "${COLUMNS_WANTED:-100}" -y "${ROWS_WANTED:-30}" \
	    "env TERM=${LN_TERM:-screen} $LNCTL --env-file $ENV_FILE --db $DB $1; echo left with \$?; exec cat"
}

terminal_close()
{
	tmux -L "${TERMINAL:-0}" kill-server 2>/dev/null || true
}

keys()
{
	tmux -L "$TERMINAL" send-keys "$@"
}

screen()
{
	tmux -L "$TERMINAL" capture-pane -p -S -200
}

# see TEXT: wait until the screen shows it.
see()
{
	local _
	for _ in {1..1200}; do
		[[ $(screen) != *"$1"* ]] || return 0
		sleep 0.05
	done
	printf 'not on the screen: %s\n' "$1"
	screen
	return 1
}
