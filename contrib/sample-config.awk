# Makes the sample configuration: every key of the daemon's table with its default, commented out, and
# above it what the manual says.
#
#     awk -f sample-config.awk man/p2pchatd.conf.5 src/daemon/config.c

# The text of a line of mdoc; what stands alone at its end is punctuation.
function plain(line,    end, macro) {
    gsub(/\\\(dq/, "\"", line)
    gsub(/\\&/, "", line)
    if (line ~ / [.,;:]$/) {
        end = substr(line, length(line))
        line = substr(line, 1, length(line) - 2)
    }
    if (line ~ /^\.[A-Z][a-z] /) {
        macro = substr(line, 2, 2)
        line = substr(line, 5)
    }
    if (macro == "Xr")
        sub(/ [1-8]$/, "(" substr(line, length(line)) ")", line)
    return (macro == "Ql" ? "\"" line "\"" : line) end
}

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

BEGIN {
    print "# Settings of p2pchatd, all of them, with their defaults; see p2pchatd.conf(5)."
    print "# Remove the # before a setting that is to have another value."
}

FILENAME ~ /\.5$/ && /^\.It Ic [a-z-]+ No =/ { key = $3; next }
FILENAME ~ /\.5$/ && /^(Default:|\.El|\.Sh)/ { key = "" }
FILENAME ~ /\.5$/ && key != "" && !/^\.Pp/   { text[key] = text[key] " " plain($0) }

/^    CFG_[A-Z_]+\("/ {
    kind = $0
    sub(/^ *CFG_/, "", kind)
    sub(/\(.*/, "", kind)
    split($0, quoted, "\"")
    key = quoted[2]
    value = $0
    sub(/^[^,]*, */, "", value)
    sub(/, *CFGF_.*/, "", value)
    gsub(/\\"/, "\"", value)
    if (kind == "STR_LIST")
        value = substr(value, 2, length(value) - 2)
    print ""
    comment(text[key])
    print "#" key " = " value
}
