/* The locks that the media thread and Python share. */
#ifndef OPENSIP_LOCK_H
#define OPENSIP_LOCK_H

#include <pthread.h>

/*
 * Makes a mutex that lends whoever holds it the priority of who waits for it: else a thread of
 * Python that lost the processor while it copies would keep the media thread, which goes first,
 * behind everything that goes before Python. An ordinary one where the system has no such.
 */
void lock_open(pthread_mutex_t *lock);

#endif
