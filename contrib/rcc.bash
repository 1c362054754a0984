# rcc.bash - completion for rcc and rccd in bash.
#
# After rcc comes an option, or a compiler and then whatever the compiler
# itself would complete.

_rcc_options="--help --version --explain --hosts --jobs --stats --watch --zero-stats --stop-agent --install-links"

# How many words before the compiler belong to rcc itself.
_rcc_own_words() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--explain | --json) ;;
		*) break ;;
		esac
	done
	echo "$i"
}

_rcc() {
	local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} own

	own=$(_rcc_own_words)
	case $first in
	--explain) ;;
	--hosts | --jobs | --stats)
		mapfile -t COMPREPLY < <(compgen -W "--json" -- "$word")
		return ;;
	--install-links)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return ;;
	-*)
		[ "$COMP_CWORD" -eq 1 ] && mapfile -t COMPREPLY < <(compgen -W "$_rcc_options" -- "$word")
		return ;;
	esac
	if [ "$COMP_CWORD" -gt "$own" ] && declare -F _command_offset >/dev/null; then
		_command_offset "$own"
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--json" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	fi
}

_rccd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	case $before in
	--accept-toolchains) mapfile -t COMPREPLY < <(compgen -W "same any" -- "$word") ;;
	--store | --toolchain-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	--config | --key-file | --make-key) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--policy) mapfile -t COMPREPLY < <(compgen -W "dedicated polite idle" -- "$word") ;;
	--log) mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$word") ;;
	--http) mapfile -t COMPREPLY < <(compgen -W "off 127.0.0.1:17633" -- "$word") ;;
	--listen) mapfile -t COMPREPLY < <(compgen -W "127.0.0.1:17632" -- "$word") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "--listen --http --jobs --job-uid --job-memory --grace --store --store-max --name --policy --toolchain-dir --accept-toolchains --log --config --key-file --make-key
		--allow-public --insecure-no-sandbox --insecure-no-auth --help --version" -- "$word") ;;
	esac
}

# The file is installed under the wrapper's name, which need not be rcc.
complete -F _rcc rcc "${BASH_SOURCE[0]##*/}"
complete -F _rccd rccd
