# Makes the sample configuration from the daemon's table: every setting with its default, commented
# out, and above it what it is for.
#
#     awk -f sample-config.awk src/daemon/settings.def

function comment(text,    line, count, words, i) {
    count = split(text, words, " ")
    for (i = 1; i <= count; i++) {
        if (line != "" && length(line) + length(words[i]) > 76) {
            print "#" line
            line = ""
        }
        line = line " " words[i]
    }
    print "#" line
}

# The first string of the text, as it stands between its quotes; `rest` is what follows it.
function string(text,    found) {
    if (!match(text, /"([^"\\]|\\.)*"/))
        return ""
    found = substr(text, RSTART + 1, RLENGTH - 2)
    rest = substr(text, RSTART + RLENGTH)
    gsub(/\\"/, "\"", found)
    return found
}

function setting(entry,    name, type, value, help, piece) {
    name = string(entry)
    type = rest
    sub(/^[ ,]+/, "", type)
    sub(/,.*/, "", type)
    value = string(rest)
    while ((piece = string(rest)) != "")
        help = help piece
    print ""
    comment(help)
    print "#" name " = " (type ~ /^(ADDRESSES|NUMBER|KEY_SIZE)$/ ? value : "\"" value "\"")
}

BEGIN {
    print "# Settings of p2pchatd, all of them, with their defaults; see p2pchatd.conf(5)."
    print "# Remove the # before a setting that is to have another value."
}

/^SETTING\(/ { entry = "" ; inside = 1 }
inside       { entry = entry $0 }
inside && /\)$/ { setting(entry); inside = 0 }
