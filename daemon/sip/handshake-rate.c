/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/handshake-rate.h"

#include <netinet/in.h>
#include <string.h>

#define IP6_NETWORK 8           /* octets: one subscriber has at least these to himself */

typedef struct
{
  double tokens;
  gint64 at;                    /* when they were that many */
} Bucket;

typedef struct
{
  guint8 key[16];
  Bucket bucket;
} Source;

struct _HandshakeRate
{
  Bucket total;
  Source sources[HANDSHAKE_MAX_SOURCES];
  guint n_sources;
};

HandshakeRate *
handshake_rate_new (void)
{
  HandshakeRate *rate = g_new0 (HandshakeRate, 1);

  rate->total.tokens = HANDSHAKE_TOTAL_BURST;
  return rate;
}

void
handshake_rate_free (HandshakeRate *rate)
{
  g_free (rate);
}

static double
tokens_at (const Bucket *bucket, gint64 now, double burst, double per_s)
{
  return MIN (burst, bucket->tokens + (double) MAX (now - bucket->at, 0) * per_s / G_USEC_PER_SEC);
}

/* An IPv4 address is written as it is mapped: a socket for both shows it so. */
static void
make_key (const struct sockaddr *from, guint8 *ret_key)
{
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

  memset (ret_key, 0, 16);
  if (from->sa_family == AF_INET6)
    {
      const struct in6_addr *ip6 = &((const struct sockaddr_in6 *) (const void *) from)->sin6_addr;

      memcpy (ret_key, ip6->s6_addr, IN6_IS_ADDR_V4MAPPED (ip6) ? 16 : IP6_NETWORK);
    }
  else if (from->sa_family == AF_INET)
    {
      memcpy (ret_key, mapped, sizeof mapped);
      memcpy (ret_key + sizeof mapped, &((const struct sockaddr_in *) (const void *) from)->sin_addr, 4);
    }
}

static Source *
find_source (HandshakeRate *rate, const guint8 *key, gint64 now)
{
  Source *fullest = &rate->sources[0];

  for (guint i = 0; i < rate->n_sources; i++)
    {
      Source *source = &rate->sources[i];

      if (memcmp (source->key, key, sizeof source->key) == 0)
        return source;
      if (tokens_at (&source->bucket, now, HANDSHAKE_SOURCE_BURST, HANDSHAKE_SOURCE_PER_S)
          > tokens_at (&fullest->bucket, now, HANDSHAKE_SOURCE_BURST, HANDSHAKE_SOURCE_PER_S))
        fullest = source;
    }
  if (rate->n_sources < HANDSHAKE_MAX_SOURCES)
    fullest = &rate->sources[rate->n_sources++];
  memcpy (fullest->key, key, sizeof fullest->key);
  fullest->bucket = (Bucket) { HANDSHAKE_SOURCE_BURST, now };
  return fullest;
}

gboolean
handshake_rate_take (HandshakeRate *rate, const struct sockaddr *from, gint64 now)
{
  guint8 key[16];
  Bucket *bucket;
  double total, own;

  make_key (from, key);
  bucket = &find_source (rate, key, now)->bucket;
  total = tokens_at (&rate->total, now, HANDSHAKE_TOTAL_BURST, HANDSHAKE_TOTAL_PER_S);
  own = tokens_at (bucket, now, HANDSHAKE_SOURCE_BURST, HANDSHAKE_SOURCE_PER_S);
  if (own < 1 || total < 1)
    return FALSE;               /* what is refused costs nothing: the bucket fills meanwhile */
  rate->total = (Bucket) { total - 1, now };
  *bucket = (Bucket) { own - 1, now };
  return TRUE;
}
