# Completes p2pchatctl in fish. Verbs, commands and options are read from its own help, so that they
# are always those of the installed program; peers are asked of the daemon.

# What the help of a verb, or of all, has in its first column, and what that is.
function __p2pchatctl_words
    p2pchatctl help $argv 2>/dev/null |
        string replace -rf '^  ([a-z][a-z-]*) +(.*)$' '$1\t$2'
end

function __p2pchatctl_options
    p2pchatctl help $argv 2>/dev/null | string match -ar -- '--[a-z][a-z-]*' | sort -u
end

# What stands before the word that is being completed: -s SOCKET, if given, or the verb and the rest.
function __p2pchatctl_scan -a what
    set -l words (commandline -opc)[2..-1]
    set -l socket
    while set -q words[1]
        switch $words[1]
            case -s --socket
                set socket -s $words[2]
                set -e words[1]
            case '-*'
            case '*'
                break
        end
        set -e words[1]
    end
    if test $what = socket
        string join \n -- $socket
    else
        string join \n -- $words
    end
end

# What a daemon lists, by name or id: the words are a verb and its command.
function __p2pchatctl_ask
    p2pchatctl (__p2pchatctl_scan socket) -q $argv 2>/dev/null
end

# The types of events, behind what stands before the last comma of a list.
function __p2pchatctl_types
    set -l before (string replace -r '[^,]*$' '' -- (commandline -ct))
    printf "$before%s\n" all (p2pchatctl help follow 2>/dev/null |
        string match -ar '(?:message|file|peer|identity|daemon)\.[a-z_]+' | sort -u)
end

# What a command of a verb is about.
function __p2pchatctl_object
    switch "$argv[1] $argv[2]"
        case 'queue cancel'
            __p2pchatctl_ask queue list
        case 'streams close'
            __p2pchatctl_ask streams
        case 'service remove'
            __p2pchatctl_ask service
        case 'invite revoke'
            __p2pchatctl_ask invite list
        case 'peer reject'
            __p2pchatctl_ask peer requests
        case 'peer accept'
            __p2pchatctl_ask peer requests
            __p2pchatctl_ask peer list
        case 'peer *'
            __p2pchatctl_ask peer list
        case 'files get'
            __p2pchatctl_ask files
            __fish_complete_directories (commandline -ct) ''
        case 'files show' 'files refuse' 'files cancel'
            __p2pchatctl_ask files
    end
end

function __p2pchatctl_complete
    set -l words (__p2pchatctl_scan words)
    set -l previous (commandline -opc)[-1]
    switch $previous
        case -p --peer
            __p2pchatctl_ask peer list
            return
        case --types
            __p2pchatctl_types
            return
        case -o --output
            printf '%s\n' short verbose cat json
            return
        case --conflict
            printf '%s\n' rename skip overwrite
            return
        case -s --socket --cursor-file -f --file
            __fish_complete_path (commandline -ct)
            return
    end
    if string match -q -- '-*' (commandline -ct)
        __p2pchatctl_options $words[1]
        return
    end
    switch "$words[1]"
        case '' help
            __p2pchatctl_words
        case peer queue invite streams service files
            if test (count $words) -eq 1
                __p2pchatctl_words $words[1]
            else
                __p2pchatctl_object $words
            end
        case send-file
            __fish_complete_path (commandline -ct)
        case rpc
            if test (count $words) -eq 1
                __p2pchatctl_ask rpc
            end
        case chat fingerprint history follow purge wait-online ask stream forward
            __p2pchatctl_ask peer list
    end
end

complete -c p2pchatctl -f -a '(__p2pchatctl_complete)'
