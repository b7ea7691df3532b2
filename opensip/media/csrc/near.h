/* Memory that is brought into the caches before it is needed, while the kernel is at work. */
#ifndef OPENSIP_NEAR_H
#define OPENSIP_NEAR_H

#include <stddef.h>
#include <stdint.h>

enum { CACHE_LINE = 64 }; /* bytes, of most processors; elsewhere it does no harm */

/*
 * So many bytes from there on, which need not all be ours: it reads and changes nothing, and so
 * needs no lock either.
 */
static inline void bring_near(const void *from, size_t size)
{
    for (uintptr_t at = (uintptr_t)from; at < (uintptr_t)from + size; at += CACHE_LINE)
        __builtin_prefetch((const void *)at, 1);
}

#endif
