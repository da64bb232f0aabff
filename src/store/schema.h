/* SPDX-License-Identifier: ISC */
/*
 * The schema as a table of migrations. Private to store/; db_open() runs it.
 */
#pragma once

/* Marks the file as ours (PRAGMA application_id): "p2pc". */
enum { SCHEMA_APPLICATION_ID = 0x70327063 };

/* The version that schema_migrations[] leads to (PRAGMA user_version). */
extern const int schema_version;

/* The n-th takes the schema from version n to n + 1. One that was released never changes. */
extern const char *const schema_migrations[];
