#include "strangers.h"

#include <math.h>
#include <string.h>

void strangers_begin(struct strangers *strangers)
{
    memset(strangers, 0, sizeof *strangers);
    strangers->since = -INFINITY;
}

bool strangers_know(const struct strangers *strangers, const struct address *source)
{
    for (int n = 0; n < strangers->known_count; n++)
        if (address_equal(source, &strangers->known[n]))
            return true;
    return false;
}

/* Whatever the port. */
static bool same_host(const struct address *one, const struct address *other)
{
    if (one->plain.sa_family != other->plain.sa_family)
        return false;
    if (one->plain.sa_family == AF_INET)
        return one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

bool strangers_admit(struct strangers *strangers, const struct address *source, double now)
{
    if (now - strangers->since >= 1) {
        strangers->since = now;
        strangers->total = 0;
    }
    if (strangers->total >= STRANGERS_A_SECOND)
        return false;
    int count = 0;
    for (int n = 0; n < strangers->total; n++)
        count += same_host(source, &strangers->hosts[n]);
    if (count >= STRANGERS_OF_ONE)
        return false;
    strangers->hosts[strangers->total++] = *source;
    return true;
}
