/* SPDX-License-Identifier: ISC */
/*
 * Passphrases, unseen on the terminal.
 */
#define LOG_COMPONENT "keys"
#include "daemon/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/shell.h"

int passphrase_take_line(struct bytes *content, const char *path)
{
    const uint8_t *end = content->size > 0 ? memchr(content->data, '\n', content->size) : NULL;
    if (end != NULL)
        content->size = (size_t)(end - content->data);
    if (content->size == 0 || memchr(content->data, '\0', content->size) != NULL) {
        log_error("%s: there is no passphrase in its first line", path);
        return -EINVAL;
    }
    return bytes_append_u8(content, '\0');
}

static int read_line(int fd, struct bytes *line)
{
    uint8_t byte = '\0';
    bytes_clear(line);
    while (line->size <= PASSPHRASE_MAX) {
        ssize_t count = read(fd, &byte, 1);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0 || (count == 1 && byte == '\n'))
            return 0;
        if (count == 1 && bytes_append_u8(line, byte) < 0)
            return -ENOMEM;
    }
    return -EFBIG;
}

static int ask(int terminal, const char *question, struct bytes *answer)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) < 0)
        return -errno;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    tcsetattr(terminal, TCSAFLUSH, &silent);
    ssize_t written = write(terminal, question, strlen(question));
    int r = written < 0 ? -errno : read_line(terminal, answer);
    tcsetattr(terminal, TCSAFLUSH, &before);
    return r;
}

static int ask_twice(int terminal, struct bytes *passphrase)
{
    struct bytes again = {0};
    int r = ask(terminal, "Passphrase for the backup: ", passphrase);
    if (r == 0)
        r = ask(terminal, "Once more: ", &again);
    if (r == 0 && (again.size != passphrase->size ||
                   (again.size > 0 && memcmp(again.data, passphrase->data, again.size) != 0))) {
        log_error("the two passphrases differ");
        r = -EINVAL;
    }
    bytes_deinit(&again);
    return r;
}

static int ask_terminal(bool is_new, struct bytes *passphrase)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        log_error("there is no terminal to ask for the passphrase: --passphrase-file FILE");
        return -errno;
    }
    int r = is_new ? ask_twice(terminal, passphrase)
                   : ask(terminal, "Passphrase of the backup: ", passphrase);
    close(terminal);
    if (r != 0)
        bytes_deinit(passphrase);
    return r == 0 ? passphrase_take_line(passphrase, "/dev/tty") : r;
}

int passphrase_read(const char *file, bool is_new, struct bytes *passphrase)
{
    if (file == NULL)
        return ask_terminal(is_new, passphrase);
    int r = strcmp(file, "-") == 0 ? read_line(STDIN_FILENO, passphrase)
                                   : file_read_secret(file, PASSPHRASE_MAX, passphrase);
    if (r < 0) {
        if (r == -EPERM)
            log_error("%s: a passphrase must be in a plain file that nobody else can read: chmod "
                      "600 %s",
                      file, shell_word(file).text);
        else
            log_error("%s: %s", file, strerror(-r));
        return r;
    }
    return passphrase_take_line(passphrase, file);
}
