/* SPDX-License-Identifier: ISC */
/*
 * Invites as text. Numeric addresses and host names hold no character that a URI would escape.
 */
#include "proto/invite_uri.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"

static const char scheme[] = "p2pchat://";

enum {
    CHECK_SIZE = 3,
    SECRET_AT = FINGERPRINT_SIZE,
    CHECK_AT = FINGERPRINT_SIZE + INVITE_SECRET_SIZE,
    PAYLOAD_SIZE = CHECK_AT + CHECK_SIZE,
    FRAGMENT_LENGTH = BASE64_LENGTH(PAYLOAD_SIZE),
    UNCHECKED_LENGTH = BASE64_LENGTH(CHECK_AT), /* as older programs print it */
};

/* What finds a typo: the hash of all that stands before it, with `line` up to the '#'. 0 or -EIO.
 */
static int make_check(struct span line, const uint8_t payload[static CHECK_AT],
                      uint8_t check[static CHECK_SIZE])
{
    static const char label[] = "p2pchat/1 invite text";
    const struct span parts[] = {SPAN(label, sizeof label), line, SPAN("#", 1),
                                 SPAN(payload, CHECK_AT)};
    uint8_t hash[SHA256_SIZE];
    const int r = sha256(parts, sizeof parts / sizeof parts[0], hash);
    if (r == 0)
        memcpy(check, hash, CHECK_SIZE);
    return r;
}

static int append_text(struct bytes *out, const char *text)
{
    return bytes_append(out, text, strlen(text));
}

static int append_escaped(struct bytes *out, const char *text)
{
    int r = 0;
    for (; *text != '\0' && r == 0; text++) {
        char escaped[4] = "%";
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL) {
            r = bytes_append(out, text, 1);
        } else {
            hex_encode((const uint8_t *)text, 1, escaped + 1);
            r = append_text(out, escaped);
        }
    }
    return r;
}

static int append_addresses(struct bytes *out, const struct invite_uri *invite)
{
    int r = 0;
    for (unsigned i = 0; i < invite->address_count && r == 0; i++) {
        char address[ADDRESS_TEXT_MAX];
        address_format(&invite->addresses[i], address);
        if (i > 0)
            r = append_text(out, ",");
        if (r == 0)
            r = append_text(out, address);
    }
    return r;
}

/* `start` is where in `out` the line begins. */
static int append_fragment(struct bytes *out, size_t start, const struct invite_uri *invite)
{
    uint8_t payload[PAYLOAD_SIZE];
    char fragment[1 + FRAGMENT_LENGTH + 1] = "#";
    memcpy(payload, invite->inviter.bytes, FINGERPRINT_SIZE);
    memcpy(payload + SECRET_AT, invite->secret, INVITE_SECRET_SIZE);
    const int r =
        make_check(SPAN(out->data + start, out->size - start), payload, payload + CHECK_AT);
    if (r != 0)
        return r;
    base64_encode(BASE64_URL, payload, sizeof payload, fragment + 1);
    return append_text(out, fragment);
}

int invite_uri_format(const struct invite_uri *invite, struct bytes *text)
{
    const size_t start = text->size;
    int r = append_text(text, scheme);
    if (r == 0)
        r = append_addresses(text, invite);
    if (r == 0)
        r = append_text(text, "/");
    if (r == 0)
        r = append_escaped(text, invite->name);
    return r == 0 ? append_fragment(text, start, invite) : r;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The list between the scheme and the path. */
static const char *read_addresses(struct span list, struct invite_uri *invite)
{
    struct reader reader = reader_of(list);
    while (reader.left > 0) {
        char text[ADDRESS_TEXT_MAX];
        const uint8_t *comma = memchr(reader.next, ',', reader.left);
        size_t length = comma != NULL ? (size_t)(comma - reader.next) : reader.left;
        if (invite->address_count == INVITE_URI_ADDRESSES_MAX)
            return "it has more than 8 addresses";
        if (length >= sizeof text)
            return "an address in it is too long";
        memcpy(text, reader.next, length);
        text[length] = '\0';
        struct address *address = &invite->addresses[invite->address_count++];
        if (address_parse(text, address) != 0 || address->port == 0)
            return "an address in it is not like host:8766";
        reader_take(&reader, length);
        reader_take(&reader, comma != NULL); /* a comma at the very end changes nothing */
    }
    return invite->address_count > 0 ? NULL : "it has no address";
}

/* The path, percent-decoded. */
static const char *read_name(struct span path, struct invite_uri *invite)
{
    static const char complaint[] = "the name in it is malformed";
    struct reader reader = reader_of(path);
    size_t size = 0, characters = 0;
    while (reader.left > 0) {
        char byte = (char)reader_u8(&reader);
        if (byte == '%') {
            char digits[3] = {(char)reader_u8(&reader), (char)reader_u8(&reader)};
            if (hex_decode(digits, (uint8_t *)&byte, 1) != 0)
                return complaint;
        }
        const bool begins = (byte & 0xC0) != 0x80; /* a character of UTF-8 */
        if (begins && ++characters > INVITE_URI_NAME_CHARACTERS)
            return "the name in it has more than 64 characters";
        if (byte == '\0' || size + 1 == sizeof invite->name)
            return complaint;
        invite->name[size++] = byte;
    }
    return NULL;
}

/* `line` is what stands before the '#'. */
static const char *read_fragment(struct span line, const char *fragment, struct invite_uri *invite)
{
    uint8_t payload[PAYLOAD_SIZE], check[CHECK_SIZE];
    const size_t length = strlen(fragment);
    const bool checked = length == FRAGMENT_LENGTH;
    if (!checked && length != UNCHECKED_LENGTH)
        return "what follows '#' must be 68 characters (or 64, from an older program): was all of "
               "it copied?";
    if (base64_decode(BASE64_URL, fragment, length, payload, checked ? PAYLOAD_SIZE : CHECK_AT) !=
        0)
        return "what follows '#' has characters that don't belong there";
    if (checked && (make_check(line, payload, check) != 0 ||
                    memcmp(check, payload + CHECK_AT, CHECK_SIZE) != 0))
        return "it has a typo: copy it again";
    memcpy(invite->inviter.bytes, payload, FINGERPRINT_SIZE);
    memcpy(invite->secret, payload + SECRET_AT, INVITE_SECRET_SIZE);
    return NULL;
}

/* Copies the text without its white space. */
static const char *join_lines(const char *text, char line[static INVITE_URI_MAX])
{
    size_t size = 0;
    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text))
            continue;
        if (size + 1 == INVITE_URI_MAX)
            return "it is too long";
        line[size++] = *text;
    }
    line[size] = '\0';
    return NULL;
}

static const char *read_all(const char *text, struct invite_uri *invite)
{
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return "it does not begin with p2pchat://";
    const char *list = text + sizeof scheme - 1;
    const char *slash = list + strcspn(list, "/#");
    const char *hash = slash + strcspn(slash, "#");
    if (*hash == '\0')
        return "there is no '#' in it: was all of it copied?";
    const char *path = *slash == '/' ? slash + 1 : slash;
    if (memchr(list, '?', (size_t)(hash - list)) != NULL)
        return "somebody has added a '?' and what follows it, as link trackers do: ask for the "
               "line as it was printed";
    /* First what finds a typo anywhere in the line: that is told as one. */
    const char *wrong = read_fragment(SPAN(text, (size_t)(hash - text)), hash + 1, invite);
    if (wrong == NULL)
        wrong = read_addresses(SPAN(list, (size_t)(slash - list)), invite);
    return wrong != NULL ? wrong : read_name(SPAN(path, (size_t)(hash - path)), invite);
}

int invite_uri_parse(const char *text, struct invite_uri *invite, const char **complaint)
{
    char line[INVITE_URI_MAX];
    *invite = (struct invite_uri){0};
    *complaint = join_lines(text, line);
    if (*complaint == NULL)
        *complaint = read_all(line, invite);
    explicit_bzero(line, sizeof line);
    return *complaint == NULL ? 0 : -EINVAL;
}
