/* SPDX-License-Identifier: ISC */
/*
 * The least that a pair of daemons with the promises of p2pchat can do for a message, and nothing
 * besides: no names, no states, no index, no handshake. What p2pchat is measured beside.
 *
 *     reference DIRECTORY
 *
 * makes the sockets `in` and `out` there, and prints the process ids of the sender and the receiver
 * when they listen. A line that comes from `in` goes through these steps:
 *
 *     sender    append to a file that has its size already, fdatasync, tell the client
 *               all lines that wait: AES-256-GCM, RSA-2048 PSS signature of it, TCP
 *     receiver  check the signature, decrypt, append, fdatasync, write to all clients of `out`
 *               tell the sender how many lines are safe, which tells the client
 *
 *     to the newest client of `in`: 'a' for each line that is accepted, 'd' for each delivered
 *     to a client of `out`: an empty line when it will miss nothing any more, then the lines
 *     packet: size of the text (4) ‖ number of lines (4) ‖ text ‖ tag (16) ‖ signature (256)
 *     answer: bytes of text (4) ‖ number of lines (4)
 *
 * It ends by a signal. Errors end it as well: this is a yardstick and serves nobody.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HEAD_SIZE = 8,
    TAG_SIZE = 16,
    SIGNATURE_SIZE = 256,
    PACKET_MAX = 128 * 1024, /* bytes of text, as in p2pchat */
    WINDOW = 1024 * 1024,    /* bytes of text that the receiver has not answered */
    READ_MAX = 256 * 1024,
    BUFFER_MAX = 4 * WINDOW,
    FILE_SIZE = 64 * 1024 * 1024, /* written again from the start when it is full */
    CLIENTS_MAX = 8,
};

struct buffer {
    uint8_t data[BUFFER_MAX];
    size_t size;
};

struct file {
    int fd;
    off_t at;
};

struct side {
    EVP_PKEY *key;
    EVP_CIPHER_CTX *cipher;
    uint64_t packets;
    struct file file;
    int listener, peer;
    int clients[CLIENTS_MAX];
    unsigned client_count;
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* --- files and sockets ------------------------------------------------------------------------ */

static void write_all(int fd, const void *data, size_t size)
{
    for (const uint8_t *at = data; size > 0;) {
        ssize_t n = write(fd, at, size);
        check(n > 0, "write");
        at += n;
        size -= (size_t)n;
    }
}

/* Reads what is there; false at the end. */
static bool read_some(int fd, struct buffer *buffer)
{
    check(buffer->size + READ_MAX <= sizeof buffer->data, "room");
    ssize_t n = read(fd, buffer->data + buffer->size, READ_MAX);
    if (n > 0)
        buffer->size += (size_t)n;
    return n > 0;
}

static void consume(struct buffer *buffer, size_t size)
{
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

static void make_file(struct file *file, const char *path)
{
    static const uint8_t zeros[READ_MAX];
    file->fd = open(path, O_RDWR | O_CREAT, 0600);
    check(file->fd >= 0, path);
    for (off_t at = 0; at < FILE_SIZE; at += READ_MAX)
        write_all(file->fd, zeros, sizeof zeros);
    check(fsync(file->fd) == 0, path);
}

/* Makes the text durable. */
static void keep(struct file *file, const uint8_t *text, size_t size)
{
    if (file->at + (off_t)size > FILE_SIZE)
        file->at = 0;
    check(pwrite(file->fd, text, size, file->at) == (ssize_t)size, "pwrite");
    check(fdatasync(file->fd) == 0, "fdatasync");
    file->at += (off_t)size;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0, path);
    return fd;
}

static void pair_tcp(int ends[static 2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    const int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
              connect(ends[0], (struct sockaddr *)&address, size) == 0,
          "TCP");
    ends[1] = accept(listener, NULL, NULL);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    close(listener);
}

/* Waits for the listener, the other side and, unless there is too much already, the clients. */
static void wait_for(const struct side *side, bool clients, struct pollfd polled[])
{
    polled[0] = (struct pollfd){side->listener, POLLIN, 0};
    polled[1] = (struct pollfd){side->peer, POLLIN, 0};
    for (unsigned i = 0; i < side->client_count; i++)
        polled[2 + i] = (struct pollfd){side->clients[i], clients ? POLLIN : 0, 0};
    check(poll(polled, 2 + side->client_count, -1) > 0, "poll");
}

static void take_client(struct side *side)
{
    check(side->client_count < CLIENTS_MAX, "clients");
    side->clients[side->client_count++] = accept(side->listener, NULL, NULL);
}

static void drop_client(struct side *side, unsigned index)
{
    close(side->clients[index]);
    side->clients[index] = side->clients[--side->client_count];
}

/* --- packets ---------------------------------------------------------------------------------- */

static void start_cipher(struct side *side, bool sender)
{
    static const uint8_t key[32] = {1};
    side->cipher = EVP_CIPHER_CTX_new();
    check(EVP_CipherInit_ex(side->cipher, EVP_aes_256_gcm(), NULL, key, NULL, sender) == 1, "AES");
}

static void next_iv(struct side *side, bool sender)
{
    uint8_t iv[12] = {0};
    side->packets++;
    memcpy(iv, &side->packets, sizeof side->packets);
    check(EVP_CipherInit_ex(side->cipher, NULL, NULL, NULL, iv, sender) == 1, "IV");
}

static EVP_MD_CTX *digest_of(EVP_PKEY *key, bool signs)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *scheme;
    int r = signs ? EVP_DigestSignInit(digest, &scheme, EVP_sha256(), NULL, key)
                  : EVP_DigestVerifyInit(digest, &scheme, EVP_sha256(), NULL, key);
    check(r == 1 && EVP_PKEY_CTX_set_rsa_padding(scheme, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(scheme, RSA_PSS_SALTLEN_DIGEST) == 1,
          "RSA");
    return digest;
}

static void send_packet(struct side *side, const uint8_t *text, uint32_t size, uint32_t lines)
{
    static uint8_t packet[HEAD_SIZE + PACKET_MAX + TAG_SIZE + SIGNATURE_SIZE];
    size_t signature_size = SIGNATURE_SIZE;
    const size_t signed_size = HEAD_SIZE + size + TAG_SIZE;
    int n;
    memcpy(packet, &size, 4);
    memcpy(packet + 4, &lines, 4);
    next_iv(side, true);
    check(EVP_EncryptUpdate(side->cipher, packet + HEAD_SIZE, &n, text, (int)size) == 1 &&
              EVP_EncryptFinal_ex(side->cipher, packet + HEAD_SIZE + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(side->cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE,
                                  packet + HEAD_SIZE + size) == 1,
          "encrypt");
    EVP_MD_CTX *digest = digest_of(side->key, true);
    check(EVP_DigestSign(digest, packet + signed_size, &signature_size, packet, signed_size) == 1,
          "sign");
    EVP_MD_CTX_free(digest);
    write_all(side->peer, packet, signed_size + SIGNATURE_SIZE);
}

/* Opens the packet in place. */
static void open_packet(struct side *side, uint8_t *packet, uint32_t size)
{
    const size_t signed_size = HEAD_SIZE + size + TAG_SIZE;
    int n;
    EVP_MD_CTX *digest = digest_of(side->key, false);
    check(EVP_DigestVerify(digest, packet + signed_size, SIGNATURE_SIZE, packet, signed_size) == 1,
          "verify");
    EVP_MD_CTX_free(digest);
    next_iv(side, false);
    uint8_t *text = packet + HEAD_SIZE;
    check(EVP_CIPHER_CTX_ctrl(side->cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, text + size) == 1 &&
              EVP_DecryptUpdate(side->cipher, text, &n, text, (int)size) == 1 &&
              EVP_DecryptFinal_ex(side->cipher, text + n, &n) == 1,
          "decrypt");
}

/* --- the sender ------------------------------------------------------------------------------- */

/* As many whole lines as go into one packet. */
static size_t whole_lines(const uint8_t *text, size_t size, uint32_t *lines)
{
    size_t whole = 0;
    *lines = 0;
    for (const uint8_t *end; (end = memchr(text + whole, '\n', size - whole)) != NULL; ++*lines) {
        const size_t next = (size_t)(end - text) + 1;
        if (next > PACKET_MAX)
            break;
        whole = next;
    }
    return whole;
}

/* Tells the newest client of so many lines. One that has gone needs no answer. */
static void tell(const struct side *side, char what, size_t lines)
{
    char answer[4096];
    memset(answer, what, sizeof answer);
    for (size_t n; side->client_count > 0 && lines > 0; lines -= n) {
        n = lines < sizeof answer ? lines : sizeof answer;
        if (send(side->clients[side->client_count - 1], answer, n, MSG_NOSIGNAL) != (ssize_t)n)
            return;
    }
}

/* Makes the whole lines durable, says so, and sends them. How many bytes they are. */
static size_t take_lines(struct side *side, struct buffer *in)
{
    uint32_t lines;
    size_t whole = 0;
    for (size_t n; (n = whole_lines(in->data + whole, in->size - whole, &lines)) > 0;)
        whole += n;
    if (whole == 0)
        return 0;
    keep(&side->file, in->data, whole);
    for (size_t at = 0, n; at < whole; at += n) {
        n = whole_lines(in->data + at, whole - at, &lines);
        tell(side, 'a', lines);
        send_packet(side, in->data + at, (uint32_t)n, lines);
    }
    consume(in, whole);
    return whole;
}

static void run_sender(struct side *side)
{
    static struct buffer in;
    struct pollfd polled[2 + CLIENTS_MAX];
    size_t under_way = 0;
    for (;;) {
        wait_for(side, under_way < WINDOW, polled);
        for (unsigned i = side->client_count; i > 0; i--)
            if (polled[1 + i].revents != 0 && !read_some(side->clients[i - 1], &in))
                drop_client(side, i - 1);
        if (polled[0].revents != 0)
            take_client(side);
        if (polled[1].revents != 0) {
            uint32_t answer[2];
            check(recv(side->peer, answer, sizeof answer, MSG_WAITALL) == sizeof answer, "answer");
            under_way -= answer[0];
            tell(side, 'd', answer[1]);
        }
        under_way += take_lines(side, &in);
    }
}

/* --- the receiver ----------------------------------------------------------------------------- */

/* Opens the whole packets, and moves their texts together. How many bytes they were. */
static size_t open_packets(struct side *side, struct buffer *in, uint32_t answer[static 2])
{
    size_t at = 0;
    while (in->size - at >= HEAD_SIZE) {
        uint32_t head[2];
        memcpy(head, in->data + at, sizeof head);
        const size_t size = HEAD_SIZE + head[0] + TAG_SIZE + SIGNATURE_SIZE;
        if (head[0] > PACKET_MAX || in->size - at < size)
            break;
        open_packet(side, in->data + at, head[0]);
        memmove(in->data + answer[0], in->data + at + HEAD_SIZE, head[0]);
        answer[0] += head[0];
        answer[1] += head[1];
        at += size;
    }
    return at;
}

static void run_receiver(struct side *side)
{
    static struct buffer in;
    struct pollfd polled[2 + CLIENTS_MAX];
    for (;;) {
        wait_for(side, true, polled);
        for (unsigned i = side->client_count; i > 0; i--)
            if (polled[1 + i].revents != 0)
                drop_client(side, i - 1); /* it says nothing, so it has gone */
        if (polled[0].revents != 0) {
            take_client(side);
            write_all(side->clients[side->client_count - 1], "\n", 1);
        }
        if (polled[1].revents == 0)
            continue;
        check(read_some(side->peer, &in), "sender");
        uint32_t answer[2] = {0}; /* bytes and lines */
        const size_t opened = open_packets(side, &in, answer);
        if (opened == 0)
            continue;
        keep(&side->file, in.data, answer[0]);
        for (unsigned i = 0; i < side->client_count; i++)
            write_all(side->clients[i], in.data, answer[0]);
        write_all(side->peer, answer, sizeof answer);
        consume(&in, opened);
    }
}

/* --- both ------------------------------------------------------------------------------------- */

static pid_t start(struct side *side, bool sender)
{
    make_file(&side->file, sender ? "sent" : "received");
    side->listener = listen_at(sender ? "in" : "out");
    start_cipher(side, sender);
    const pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        if (sender)
            run_sender(side);
        else
            run_receiver(side);
    }
    return pid;
}

int main(int argc, char **argv)
{
    int ends[2];
    if (argc != 2)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    check(chdir(argv[1]) == 0, argv[1]);
    EVP_PKEY *key = EVP_RSA_gen(2048);
    check(key != NULL, "RSA key");
    pair_tcp(ends);
    struct side sender = {.key = key, .peer = ends[0]}, receiver = {.key = key, .peer = ends[1]};
    const pid_t pids[] = {start(&sender, true), start(&receiver, false)};
    printf("%d %d\n", (int)pids[0], (int)pids[1]);
    fflush(stdout);
    close(ends[0]);
    close(ends[1]);
    wait(NULL);
    kill(pids[0], SIGTERM);
    kill(pids[1], SIGTERM);
    return 1;
}
