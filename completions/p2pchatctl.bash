# Completes p2pchatctl in bash. Verbs, commands and options are read from its own help, so that they
# are always those of the installed program; peers are asked of the daemon.

# The words in the first column of a list in the help of a verb, or of all: verbs, commands.
_p2pchatctl_words() {
    p2pchatctl help "$@" 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u
}

_p2pchatctl_options() {
    p2pchatctl help "$@" 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u
}

# Adds those of the words on standard input that begin with $1. Names are data: they are quoted, and
# nothing in them is expanded.
_p2pchatctl_add() {
    local word
    while IFS= read -r word; do
        [[ $word == "$1"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
    done
}

# The verb of the command line, and the socket, if it names one.
_p2pchatctl_scan() {
    local i
    verb='' socket=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -s | --socket)
            socket=(-s "${COMP_WORDS[++i]-}")
            ;;
        -*) ;;
        *)
            verb=${COMP_WORDS[i]}
            verb_at=$i
            return
            ;;
        esac
    done
}

_p2pchatctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local verb verb_at=0
    local -a socket
    COMPREPLY=()
    _p2pchatctl_scan
    case $previous in
    -s | --socket | --cursor-file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    -p | --peer)
        _p2pchatctl_add "$current" < <(p2pchatctl "${socket[@]}" -q peer list 2>/dev/null)
        return
        ;;
    -o | --output)
        _p2pchatctl_add "$current" < <(printf '%s\n' short verbose cat json)
        return
        ;;
    esac
    if [[ $current == -* ]]; then
        _p2pchatctl_add "$current" < <(_p2pchatctl_options ${verb:+"$verb"})
    elif [[ -z $verb ]]; then
        _p2pchatctl_add "$current" < <(_p2pchatctl_words)
    else
        _p2pchatctl_argument
    fi
}

_p2pchatctl_argument() {
    case $verb in
    help)
        _p2pchatctl_add "$current" < <(_p2pchatctl_words)
        ;;
    peer | queue | invite)
        if ((COMP_CWORD == verb_at + 1)); then
            _p2pchatctl_add "$current" < <(_p2pchatctl_words "$verb")
        elif [[ $verb == peer ]]; then
            _p2pchatctl_add "$current" < <(p2pchatctl "${socket[@]}" -q peer list 2>/dev/null)
        fi
        ;;
    chat | fingerprint | wait-online)
        _p2pchatctl_add "$current" < <(p2pchatctl "${socket[@]}" -q peer list 2>/dev/null)
        ;;
    esac
}

complete -F _p2pchatctl p2pchatctl
