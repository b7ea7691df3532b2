#include "latch.h"

#include <arpa/inet.h>
#include <string.h>

enum { PROBATION = 5 }; /* foreign packets after which an unproven source cannot become ours */
static const double PROVEN = 10; /* seconds until a latched source is settled: see latch.py */
static const double SILENT = 0.2; /* seconds after which the peer may be elsewhere: see latch.py */

bool address_read(struct address *address, const char *host, int port)
{
    memset(address, 0, sizeof *address);
    if (port < 0 || port > 65535)
        return false;
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)port);
        address->size = sizeof address->v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        address->size = sizeof address->v6;
        return true;
    }
    return false;
}

bool address_equal(const struct address *one, const struct address *two)
{
    if (one->size != two->size || one->plain.sa_family != two->plain.sa_family)
        return false;
    if (one->plain.sa_family == AF_INET)
        return one->v4.sin_port == two->v4.sin_port &&
               one->v4.sin_addr.s_addr == two->v4.sin_addr.s_addr;
    return one->v6.sin6_port == two->v6.sin6_port &&
           memcmp(&one->v6.sin6_addr, &two->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

static bool settle(struct latch *latch, const struct address *source)
{
    latch->remote = *source;
    latch->settled = true;
    latch->latched = false;
    latch->grace = 0;
    return true;
}

static bool admit_unproven(struct latch *latch, const struct address *source, uint32_t ssrc,
                           double now)
{
    if (latch->settled || latch->latched || latch->foreign >= PROBATION)
        return false;
    latch->foreign++;
    if (!latch->has_candidate || latch->candidate_ssrc != ssrc ||
        !address_equal(&latch->candidate, source)) {
        latch->has_candidate = true;
        latch->candidate = *source;
        latch->candidate_ssrc = ssrc;
        return false;
    }
    latch->remote = *source;
    latch->latched = true;
    latch->latched_at = now;
    latch->grace = 0;
    return true;
}

bool latch_admit(struct latch *latch, const struct address *source, uint32_t ssrc, double now)
{
    if (address_equal(source, &latch->signalled))
        return settle(latch, source);
    if (latch->grace && address_equal(source, &latch->former)) {
        latch->grace--;
        return true;
    }
    if (!latch->symmetric)
        return false;
    if (latch->authenticated)
        return settle(latch, source);
    if (latch->latched && address_equal(source, &latch->remote)) {
        latch->settled = now - latch->latched_at >= PROVEN;
        return true;
    }
    return admit_unproven(latch, source, ssrc, now);
}

bool latch_is_alone(const struct latch *latch, bool heard_any, double last_received, double now)
{
    if (!latch->symmetric)
        return !latch->grace;
    bool moves = latch->authenticated || latch->latched;
    bool present = heard_any && now - last_received <= SILENT;
    return latch->settled && (present || !moves);
}
