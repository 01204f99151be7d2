/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/target.h"

#include <string.h>

UaTarget *
ua_target_new (PhoneTransport transport, const char *host, const char *address, guint16 port, guint rank)
{
  UaTarget *target = g_new0 (UaTarget, 1);

  target->transport = transport;
  target->port = port;
  target->rank = rank;
  target->host = g_strdup (host);
  target->address = g_strdup (address);
  return target;
}

UaTarget *
ua_target_copy (const UaTarget *target)
{
  return ua_target_new (target->transport, target->host, target->address, target->port, target->rank);
}

void
ua_target_free (UaTarget *target)
{
  if (!target)
    return;
  g_free (target->host);
  g_free (target->address);
  g_free (target);
}

static void
free_target (gpointer target)
{
  ua_target_free (target);
}

GPtrArray *
ua_targets_new (void)
{
  return g_ptr_array_new_with_free_func (free_target);
}

char *
ua_target_key (const UaTarget *target)
{
  PhoneTransport transport = target->transport == PHONE_TRANSPORT_AUTO ? PHONE_TRANSPORT_UDP : target->transport;

  return g_strdup_printf ("%s %s:%u", phone_transport_to_string (transport), target->address, target->port);
}

char *
ua_target_route (const UaTarget *target, gboolean by_name)
{
  gboolean ip6 = strchr (target->address, ':') != NULL;
  const char *transport = target->transport == PHONE_TRANSPORT_AUTO ? NULL : phone_transport_to_string (target->transport);

  return g_strdup_printf ("sip:%s%s%s:%u%s%s%s%s%s", !by_name && ip6 ? "[" : "", by_name ? target->host : target->address,
                          !by_name && ip6 ? "]" : "", target->port, by_name ? ip6 ? ";maddr=[" : ";maddr=" : "",
                          by_name ? target->address : "", by_name && ip6 ? "]" : "", transport ? ";transport=" : "",
                          transport ? transport : "");
}

/* ---- NAPTR ---- */

/* AUTO: not for us. SIPS+D2T is for whoever wants TLS, or takes it too. */
static PhoneTransport
transport_of_service (const char *service, PhoneTransport wanted, gboolean with_tls)
{
  static const struct
  {
    const char *service;
    PhoneTransport transport;
  } services[] = {
    { "SIP+D2U", PHONE_TRANSPORT_UDP },
    { "SIP+D2T", PHONE_TRANSPORT_TCP },
    { "SIPS+D2T", PHONE_TRANSPORT_TLS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    {
      PhoneTransport transport = services[i].transport;

      if (g_ascii_strcasecmp (services[i].service, service) == 0)
        return transport == wanted || (wanted == PHONE_TRANSPORT_AUTO && (with_tls || transport != PHONE_TRANSPORT_TLS))
                   ? transport
                   : PHONE_TRANSPORT_AUTO;
    }
  return PHONE_TRANSPORT_AUTO;
}

static int
by_order (gconstpointer a, gconstpointer b)
{
  const UaNaptr *first = *(const UaNaptr *const *) a, *second = *(const UaNaptr *const *) b;

  return first->order != second->order ? (int) first->order - (int) second->order : (int) first->preference - (int) second->preference;
}

guint
ua_naptr_choose (const UaNaptr *records, guint n, PhoneTransport transport, gboolean with_tls, UaService *ret_services, guint max)
{
  g_autoptr (GPtrArray) usable = g_ptr_array_new ();
  guint n_chosen = 0;

  for (guint i = 0; i < n; i++)
    if (g_ascii_strcasecmp (records[i].flags, "s") == 0 && *records[i].replacement
        && transport_of_service (records[i].service, transport, with_tls) != PHONE_TRANSPORT_AUTO)
      g_ptr_array_add (usable, (gpointer) &records[i]);
  g_ptr_array_sort (usable, by_order);  /* a merge sort: records alike stay as they came */
  for (guint i = 0; i < usable->len && n_chosen < max; i++)
    {
      const UaNaptr *record = g_ptr_array_index (usable, i);

      /* RFC 3403 section 4.1: nothing of a higher order once something was found */
      if (record->order != ((const UaNaptr *) g_ptr_array_index (usable, 0))->order)
        break;
      ret_services[n_chosen++] = (UaService) { transport_of_service (record->service, transport, with_tls), record->replacement };
    }
  return n_chosen;
}

/* ---- SRV ---- */

static int
by_priority (const void *a, const void *b)
{
  const UaSrv *first = a, *second = b;

  /* weight 0 first: what is left of it then has a small chance and not none (RFC 2782) */
  if (first->priority != second->priority)
    return (int) first->priority - (int) second->priority;
  return (first->weight != 0) - (second->weight != 0);
}

/* One of n records of one priority. */
static guint
draw (const UaSrv *records, guint n, double chance)
{
  guint sum = 0, running = 0, picked;

  for (guint i = 0; i < n; i++)
    sum += records[i].weight;
  picked = (guint) (chance * (sum + 1));        /* 0..sum, both included */
  for (guint i = 0; i < n; i++)
    {
      running += records[i].weight;
      if (running >= picked)
        return i;
    }
  return n - 1;
}

void
ua_srv_order (UaSrv *records, guint n, double (*chance) (gpointer data), gpointer data)
{
  if (n == 0)
    return;
  qsort (records, n, sizeof *records, by_priority);
  for (guint i = 0; i + 1 < n; i++)
    {
      guint same = 1, at;
      UaSrv picked;

      while (i + same < n && records[i + same].priority == records[i].priority)
        same++;
      at = i + draw (&records[i], same, chance (data));
      picked = records[at];
      memmove (&records[i + 1], &records[i], (at - i) * sizeof *records);       /* the others keep their order: weight 0 first */
      records[i] = picked;
    }
}
