#include "lock.h"

static int open_lending(pthread_mutex_t *lock)
{
    pthread_mutexattr_t kind;
    int error = pthread_mutexattr_init(&kind);
    if (error)
        return error;
    error = pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
    if (!error)
        error = pthread_mutex_init(lock, &kind);
    pthread_mutexattr_destroy(&kind);
    return error;
}

void lock_open(pthread_mutex_t *lock)
{
    if (open_lending(lock))
        pthread_mutex_init(lock, NULL);
}
