/* SPDX-License-Identifier: ISC */
/*
 * Intrusive doubly linked lists: the node lives in the object, so adding never fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *previous;
    struct list *next;
};

#define LIST_INIT(head) ((struct list){&(head), &(head)})

/* The object of type `type` whose member `member` is the node at `pointer`. */
#define container_of(pointer, type, member) \
    ((type *)(void *)&((char *)(pointer))[-(ptrdiff_t)offsetof(type, member)])

static inline void list_init(struct list *list)
{
    list->previous = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/* Adds `node` as the last of `list`. */
static inline void list_append(struct list *list, struct list *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* Takes `node` out of the list it is in; a node that is in none stays so. */
static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* Puts all nodes of one list behind those of another. */
static inline void list_move_all(struct list *from, struct list *to)
{
    while (!list_empty(from)) {
        struct list *first = from->next;
        list_remove(first);
        list_append(to, first);
    }
}

/* Walks the nodes; the current node may be removed only in the _safe form. */
/* clang-format off: a space before the parameters would make these plain names */
#define list_for_each(node, head) \
    for (struct list *node = (head)->next; node != (head); node = node->next)
#define list_for_each_safe(node, head)                                                \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
         node = node##_next, node##_next = node->next)
/* clang-format on */
