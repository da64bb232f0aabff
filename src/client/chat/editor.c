/* SPDX-License-Identifier: ISC */
/*
 * The edit line. libedit edits; here is what it lacks: other work while it waits, lines printed
 * above it, and pasted text that keeps its newlines.
 */
#include "client/chat/editor.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "client/chat/libedit.h"
#include "client/width.h"

enum { TYPED_MAX = 4096, PROMPT_MAX = 128, HISTORY_MAX = 200, TAB = 8 };

/* Terminals wrap what is pasted in these, when they are asked to. */
#define PASTE_ON    "\033[?2004h"
#define PASTE_OFF   "\033[?2004l"
#define PASTE_BEGIN L"\033[200~"
static const wchar_t paste_end[] = L"\033[201~";

struct editor {
    const struct editor_owner *owner;
    void *context;
    EditLine *line;
    HistoryW *history;
    FILE *in, *out;
    int signals; /* signalfd */
    int ready;   /* epoll: something typed, or a signal */
    sigset_t old_mask;
    wchar_t prompt[PROMPT_MAX];
    char typed[TYPED_MAX]; /* read and not yet decoded */
    size_t typed_size;
    size_t tallest;
    bool interrupted; /* ^C was the last that was typed */
    bool ended;
};

/* --- where things are on the screen ----------------------------------------------------------- */

static struct winsize terminal_size(const struct editor *editor)
{
    struct winsize size = {0};
    if (ioctl(fileno(editor->out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    return size;
}

size_t editor_columns(const struct editor *editor)
{
    return terminal_size(editor).ws_col;
}

size_t editor_rows(const struct editor *editor)
{
    return terminal_size(editor).ws_row;
}

struct position {
    size_t columns; /* of the terminal */
    size_t row, column;
};

static void advance(struct position *position, size_t width)
{
    if (position->column + width > position->columns) {
        position->row++;
        position->column = 0;
    }
    position->column += width;
    if (position->column >= position->columns) {
        position->row++;
        position->column = 0;
    }
}

/* Moves over text as libedit draws it: "^A" for controls, a number for what can't be printed. */
static void advance_over(struct position *position, const wchar_t *text, const wchar_t *end)
{
    for (; text < end; text++) {
        if (*text == L'\n') {
            position->row++;
            position->column = 0;
        } else if (*text == L'\t') {
            do
                advance(position, 1);
            while (position->column % TAB != 0);
        } else if (*text < 0x20 || *text == 0x7f) {
            advance(position, 1);
            advance(position, 1);
        } else if (wcwidth(*text) < 0) {
            for (int left = *text > 0xffff ? 8 : 7; left > 0; left--)
                advance(position, 1);
        } else {
            advance(position, width_of_character(*text));
        }
    }
}

/* The row, counted from where the prompt begins, in which text up to `end` ends. */
static size_t row_of(const struct editor *editor, const LineInfoW *line, const wchar_t *end)
{
    struct position position = {.columns = editor_columns(editor)};
    advance_over(&position, editor->prompt, editor->prompt + wcslen(editor->prompt));
    advance_over(&position, line->buffer, end);
    return position.row;
}

static void note_height(struct editor *editor)
{
    const LineInfoW *line = libedit.el_wline(editor->line);
    const size_t height = row_of(editor, line, line->lastchar) + 1;
    if (height > editor->tallest)
        editor->tallest = height;
}

size_t editor_tallest(struct editor *editor)
{
    note_height(editor);
    const size_t tallest = editor->tallest;
    editor->tallest = 0;
    note_height(editor);
    return tallest;
}

/* Moves from the `row`th row of the line to its beginning, and clears everything from there on. */
static void clear_from_row(struct editor *editor, size_t row)
{
    fputc('\r', editor->out);
    if (row > 0)
        fprintf(editor->out, "\033[%zuA", row);
    fputs("\033[J", editor->out);
    fflush(editor->out);
}

void editor_hide(struct editor *editor)
{
    const LineInfoW *line = libedit.el_wline(editor->line);
    clear_from_row(editor, row_of(editor, line, line->cursor));
}

void editor_show(struct editor *editor)
{
    fflush(editor->out);
    libedit.el_wset(editor->line, EL_REFRESH);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* The first ^C clears the line, the second one ends. */
static void interrupt(struct editor *editor)
{
    const LineInfoW *line = libedit.el_wline(editor->line);
    const ptrdiff_t size = line->lastchar - line->buffer;
    if (editor->interrupted) {
        editor->ended = true;
        return;
    }
    editor->interrupted = true;
    editor_hide(editor);
    libedit.el_cursor(editor->line, (int)(line->lastchar - line->cursor));
    libedit.el_deletestr(editor->line, (int)size);
    editor->owner->interrupted(editor->context);
    editor_show(editor);
}

/* Between lines, too, what is typed is not echoed. */
static void prepare_terminal(struct editor *editor, bool editing)
{
    fputs(editing ? PASTE_ON : PASTE_OFF, editor->out);
    fflush(editor->out);
    libedit.el_wset(editor->line, EL_SETTY, L"-x", editing ? L"-echo" : L"+echo", NULL);
    libedit.el_wset(editor->line, EL_PREP_TERM, (int)editing);
}

/* The shell gets the terminal as it was, and we take it again afterwards. */
static void suspend(struct editor *editor)
{
    editor_hide(editor);
    prepare_terminal(editor, false);
    raise(SIGSTOP);
    prepare_terminal(editor, true);
    editor_show(editor);
}

static void resize(struct editor *editor)
{
    editor->tallest = 0;
    libedit.el_resize(editor->line);
    editor->owner->resized(editor->context);
    editor_show(editor);
}

static void take_signals(struct editor *editor)
{
    struct signalfd_siginfo signal;
    while (read(editor->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        switch ((int)signal.ssi_signo) {
        case SIGINT:
            interrupt(editor);
            break;
        case SIGTSTP:
            suspend(editor);
            break;
        case SIGWINCH:
            resize(editor);
            break;
        default:
            editor->ended = true;
        }
    }
}

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int watch_signals(struct editor *editor)
{
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTSTP);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGHUP);
    sigaddset(&taken, SIGWINCH);
    sigprocmask(SIG_BLOCK, &taken, &editor->old_mask);
    editor->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    editor->ready = epoll_create1(EPOLL_CLOEXEC);
    if (editor->signals < 0 || editor->ready < 0)
        return -errno;
    const int r = watch(editor->ready, editor->signals);
    return r == 0 ? watch(editor->ready, fileno(editor->in)) : r;
}

/* --- typing ----------------------------------------------------------------------------------- */

static void read_typed(struct editor *editor)
{
    struct pollfd typed = {.fd = fileno(editor->in), .events = POLLIN};
    if (poll(&typed, 1, 0) <= 0)
        return;
    const ssize_t size =
        read(typed.fd, editor->typed + editor->typed_size, TYPED_MAX - editor->typed_size);
    if (size > 0)
        editor->typed_size += (size_t)size;
    else if (size == 0 || (errno != EINTR && errno != EAGAIN))
        editor->ended = true;
}

/* Takes the next character that has been typed as a whole; bytes that are no UTF-8 are dropped. */
static bool take_character(struct editor *editor, wchar_t *character)
{
    enum { LONGEST = 4 };
    uint32_t code;
    while (editor->typed_size > 0) {
        const size_t length = utf8_decode(editor->typed, editor->typed_size, &code);
        if (length == 0 && code >= 0xC2 && editor->typed_size < LONGEST)
            return false; /* its rest is still to come */
        const size_t taken = length > 0 ? length : 1;
        editor->typed_size -= taken;
        memmove(editor->typed, editor->typed + taken, editor->typed_size);
        if (length > 0) {
            *character = (wchar_t)code;
            return true;
        }
    }
    return false;
}

static struct editor *editor_of(EditLine *line)
{
    void *editor = NULL;
    libedit.el_wget(line, EL_CLIENTDATA, &editor);
    return editor;
}

/* What libedit calls for each character. */
static int get_character(EditLine *line, wchar_t *character)
{
    struct editor *editor = editor_of(line);
    struct pollfd ready = {.fd = editor->ready, .events = POLLIN};
    note_height(editor);
    while (!take_character(editor, character)) {
        if (editor->ended || !editor->owner->wait(editor->context, &ready))
            return 0;
        take_signals(editor);
        read_typed(editor);
    }
    editor->interrupted = false;
    return 1;
}

static bool ends_paste(const wchar_t *text, size_t size)
{
    const size_t end = wcslen(paste_end);
    return size >= end && wmemcmp(text + size - end, paste_end, end) == 0;
}

/* Pasted text becomes part of the line; terminals have a CR where it has a new line. */
static unsigned char paste(EditLine *line, wint_t key)
{
    CLEANUP(cleanup_free) wchar_t *text = NULL;
    size_t size = 0, capacity = 0;
    wchar_t character;
    (void)key;
    while (!ends_paste(text, size)) {
        if (size + 1 >= capacity) {
            wchar_t *larger = reallocarray(text, capacity += TYPED_MAX, sizeof *text);
            if (larger == NULL)
                return CC_ERROR;
            text = larger;
        }
        if (libedit.el_wgetc(line, &character) != 1)
            return CC_EOF;
        text[size++] = character == L'\r' ? L'\n' : character;
    }
    text[size - wcslen(paste_end)] = L'\0';
    return libedit.el_winsertstr(line, text) == 0 ? CC_REFRESH : CC_ERROR;
}

static int append_character(struct bytes *text, uint32_t code)
{
    const uint8_t tail[] = {(uint8_t)(0x80 | (code >> 12 & 0x3F)),
                            (uint8_t)(0x80 | (code >> 6 & 0x3F)), (uint8_t)(0x80 | (code & 0x3F))};
    const size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    if (bytes_append_u8(text, (uint8_t)(leads[more] | code >> (6 * more))) != 0)
        return -ENOMEM;
    return bytes_append(text, tail + 3 - more, more);
}

static int take_line(const wchar_t *line, size_t size, struct bytes *text)
{
    bytes_clear(text);
    if (size > 0 && line[size - 1] == L'\n')
        size--;
    for (size_t i = 0; i < size; i++) {
        if (append_character(text, (uint32_t)line[i]) != 0)
            return -ENOMEM;
    }
    return 0;
}

int editor_read(struct editor *editor, struct bytes *text)
{
    HistEventW event;
    int size = 0;
    if (editor->ended)
        return EDITOR_END;
    const wchar_t *line = libedit.el_wgets(editor->line, &size);
    if (line == NULL || size <= 0 || editor->ended) {
        editor->ended = true;
        fputc('\n', editor->out);
        return EDITOR_END;
    }
    /* The cursor is below the line, which is taken off the screen. */
    const LineInfoW whole = {.buffer = line, .cursor = line, .lastchar = line + size};
    clear_from_row(editor, row_of(editor, &whole, whole.lastchar));
    if (wcsspn(line, L" \t\n") < (size_t)size)
        libedit.history_w(editor->history, &event, H_ENTER, line);
    return take_line(line, (size_t)size, text);
}

/* --- making one ------------------------------------------------------------------------------- */

static wchar_t *get_prompt(EditLine *line)
{
    return editor_of(line)->prompt;
}

void editor_set_prompt(struct editor *editor, const char *prompt)
{
    size_t size = strlen(prompt), count = 0;
    uint32_t code;
    while (size > 0 && count + 1 < PROMPT_MAX) {
        const size_t length = utf8_decode(prompt, size, &code);
        const size_t taken = length > 0 ? length : 1;
        editor->prompt[count++] = length > 0 ? (wchar_t)code : L'?';
        prompt += taken;
        size -= taken;
    }
    editor->prompt[count] = L'\0';
}

static int start(struct editor *editor)
{
    HistEventW event;
    editor->line = libedit.el_init("p2pchatctl", editor->in, editor->out, editor->out);
    editor->history = libedit.history_winit();
    if (editor->line == NULL || editor->history == NULL)
        return -ENOMEM;
    libedit.history_w(editor->history, &event, H_SETSIZE, HISTORY_MAX);
    libedit.el_wset(editor->line, EL_CLIENTDATA, editor);
    libedit.el_wset(editor->line, EL_PROMPT, get_prompt);
    libedit.el_wset(editor->line, EL_HIST, libedit.history_w, editor->history);
    libedit.el_wset(editor->line, EL_EDITOR, L"emacs");
    libedit.el_source(editor->line, NULL);
    libedit.el_wset(editor->line, EL_GETCFN, get_character);
    libedit.el_wset(editor->line, EL_ADDFN, L"p2pchat-paste", L"Insert what is pasted", paste);
    libedit.el_wset(editor->line, EL_BIND, PASTE_BEGIN, L"p2pchat-paste", NULL);
    prepare_terminal(editor, true);
    return watch_signals(editor);
}

int editor_new(struct editor **editor, FILE *in, FILE *out, const struct editor_owner *owner,
               void *context)
{
    int r = libedit_load();
    if (r != 0)
        return r;
    /* libedit takes characters as the locale has them; ours are UTF-8. */
    setlocale(LC_CTYPE, "C.UTF-8");
    struct editor *new = calloc(1, sizeof *new);
    if (new == NULL)
        return -ENOMEM;
    *new = (struct editor){
        .owner = owner, .context = context, .in = in, .out = out, .signals = -1, .ready = -1};
    sigprocmask(SIG_SETMASK, NULL, &new->old_mask);
    r = start(new);
    if (r != 0)
        editor_free(new);
    else
        *editor = new;
    return r;
}

void editor_free(struct editor *editor)
{
    if (editor == NULL)
        return;
    if (editor->line != NULL) {
        prepare_terminal(editor, false);
        libedit.el_end(editor->line);
    }
    if (editor->history != NULL)
        libedit.history_wend(editor->history);
    if (editor->signals >= 0)
        close(editor->signals);
    if (editor->ready >= 0)
        close(editor->ready);
    sigprocmask(SIG_SETMASK, &editor->old_mask, NULL);
    free(editor);
}
