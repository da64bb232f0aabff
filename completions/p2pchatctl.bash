# Completes p2pchatctl in bash. Verbs, commands and options are read from its own help, so that they
# are always those of the installed program; peers are asked of the daemon.

# The words in the first column of a list in the help of a verb, or of all: verbs, commands.
_p2pchatctl_words() {
    p2pchatctl help "$@" 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u
}

_p2pchatctl_options() {
    p2pchatctl help "$@" 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u
}

# The types of events, each behind $1: what stands before the last comma of a list.
_p2pchatctl_types() {
    local type
    { echo all; p2pchatctl help follow 2>/dev/null | grep -oE '(message|file|peer|identity|daemon)\.[a-z_]+'; } |
        sort -u | while read -r type; do
        printf '%s%s\n' "$1" "$type"
    done
}

# What a daemon lists, by name or id: the words are a verb and its command.
_p2pchatctl_ask() {
    p2pchatctl "${socket[@]}" -q "$@" 2>/dev/null
}

# Adds those of the words on standard input that begin with $1. Names are data: they are quoted, and
# nothing in them is expanded. (A comma needs no quoting where braces have it.)
_p2pchatctl_add() {
    local word quoted
    while IFS= read -r word; do
        [[ $word == "$1"* ]] || continue
        printf -v quoted '%q' "$word"
        COMPREPLY+=("${quoted//\\,/,}")
    done
}

# The words up to the cursor. Readline ends a word at each colon (as in "SHA256:..."); these end only
# where there is space.
_p2pchatctl_read() {
    local part rest=${COMP_LINE:0:COMP_POINT}
    words=()
    for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -eq 0 || $rest == [[:space:]]* ]]; then
            words+=('')
            rest=${rest#"${rest%%[![:space:]]*}"}
        fi
        words[-1]+=$part
        rest=${rest#"$part"}
    done
    cword=$((${#words[@]} - 1))
}

# Readline replaces only what stands behind the last colon.
_p2pchatctl_trim() {
    [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
    local i begun=${current%"${current##*:}"}
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]#"$begun"}
    done
}

# The verb of the command line, and the socket, if it names one.
_p2pchatctl_scan() {
    local i
    verb='' socket=()
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -s | --socket)
            socket=(-s "${words[++i]-}")
            ;;
        -*) ;;
        *)
            verb=${words[i]}
            verb_at=$i
            return
            ;;
        esac
    done
}

_p2pchatctl() {
    local -a words socket
    local cword current previous verb verb_at=0
    COMPREPLY=()
    _p2pchatctl_read
    current=${words[cword]} previous=${words[cword - 1]}
    _p2pchatctl_scan
    case $previous in
    -s | --socket | --cursor-file | -f | --file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    -p | --peer)
        _p2pchatctl_add "$current" < <(_p2pchatctl_ask peer list)
        return
        ;;
    --types)
        _p2pchatctl_add "$current" < <(_p2pchatctl_types "${current%"${current##*,}"}")
        return
        ;;
    -o | --output)
        _p2pchatctl_add "$current" < <(printf '%s\n' short verbose cat json)
        return
        ;;
    --conflict)
        _p2pchatctl_add "$current" < <(printf '%s\n' rename skip overwrite)
        return
        ;;
    esac
    if [[ $current == -* ]]; then
        _p2pchatctl_add "$current" < <(_p2pchatctl_options ${verb:+"$verb"})
    elif [[ -z $verb ]]; then
        _p2pchatctl_add "$current" < <(_p2pchatctl_words)
    else
        _p2pchatctl_argument
        _p2pchatctl_trim
    fi
}

_p2pchatctl_argument() {
    case $verb in
    help)
        _p2pchatctl_add "$current" < <(_p2pchatctl_words)
        ;;
    peer | queue | invite | streams | service | files)
        if ((cword == verb_at + 1)); then
            _p2pchatctl_add "$current" < <(_p2pchatctl_words "$verb")
        else
            _p2pchatctl_add "$current" < <(_p2pchatctl_object "${words[verb_at + 1]}")
        fi
        ;;
    send-file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    rpc)
        ((cword > verb_at + 1)) || _p2pchatctl_add "$current" < <(_p2pchatctl_ask rpc)
        ;;
    chat | fingerprint | history | follow | purge | wait-online | ask | stream | forward)
        _p2pchatctl_add "$current" < <(_p2pchatctl_ask peer list)
        ;;
    esac
}

# What a command ($1) of the verb is about.
_p2pchatctl_object() {
    case $verb:$1 in
    queue:cancel) _p2pchatctl_ask queue list ;;
    streams:close) _p2pchatctl_ask streams ;;
    service:remove) _p2pchatctl_ask service ;;
    invite:revoke) _p2pchatctl_ask invite list ;;
    peer:reject) _p2pchatctl_ask peer requests ;;
    peer:accept) _p2pchatctl_ask peer requests && _p2pchatctl_ask peer list ;;
    peer:*) _p2pchatctl_ask peer list ;;
    files:get) _p2pchatctl_ask files && compgen -d -- "$current" ;;
    files:show | files:refuse | files:cancel) _p2pchatctl_ask files ;;
    esac
}

complete -F _p2pchatctl p2pchatctl
