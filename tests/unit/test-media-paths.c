/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ICE in offers and answers: who gets candidates of which components, whose are used, and what takes the peer for one without. */

#include "core/media-paths.h"

#include <string.h>

static PhoneIceDesc
ice_of (const char *ufrag, const char *address, guint16 port)
{
  PhoneIceDesc ice = { .n_candidates = 2 };

  g_strlcpy (ice.ufrag, ufrag, sizeof ice.ufrag);
  g_strlcpy (ice.pwd, "a password of 22 or more", sizeof ice.pwd);
  for (guint i = 0; i < 2; i++)
    {
      ice.candidates[i] = (PhoneCandidate) { .foundation = "1", .component = i + 1, .priority = 100 - i, .port = (guint16) (port + i) };
      g_strlcpy (ice.candidates[i].address, address, sizeof ice.candidates[i].address);
    }
  return ice;
}

static PhoneMediaCaps
caps_of (const char *address, const PhoneIceDesc *ice)
{
  return (PhoneMediaCaps) { .n_codecs = 1, .codecs = { PHONE_CODEC_PCMA }, .ptime = 20, .direction = PHONE_DIRECTION_SENDRECV,
                            .address = address, .port = 4000, .rtcp_port = 4001, .rtcp_mux = TRUE, .ice = ice };
}

typedef struct
{
  PhoneIceDesc alice_ice, bob_ice;
  PhoneMediaCaps alice, bob;
  PhoneMediaDesc *offer, *answer;
  PhoneMediaPlan *alice_plan, *bob_plan;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  f->alice_ice = ice_of ("alice", "192.0.2.1", 4000);
  f->bob_ice = ice_of ("bob", "192.0.2.2", 4000);
  f->alice = caps_of ("192.0.2.1", &f->alice_ice);
  f->bob = caps_of ("192.0.2.2", &f->bob_ice);
}

static void
make_offer (Fixture *f)
{
  f->offer = phone_offer_create (&f->alice, NULL, FALSE, NULL);
  g_assert_nonnull (f->offer);
}

static void
make_answer (Fixture *f)
{
  f->answer = phone_answer_create (&f->bob, f->offer, NULL, &f->bob_plan, NULL);
  g_assert_nonnull (f->answer);
}

static void
complete (Fixture *f)
{
  f->alice_plan = phone_offer_complete (&f->alice, f->offer, f->answer, NULL);
  g_assert_nonnull (f->alice_plan);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  phone_media_desc_free (f->offer);
  phone_media_desc_free (f->answer);
  phone_media_plan_free (f->alice_plan);
  phone_media_plan_free (f->bob_plan);
}

static void
test_both (Fixture *f, gconstpointer data)
{
  make_offer (f);
  g_assert_cmpuint (f->offer->ice.n_candidates, ==, 2);
  g_assert_true (f->offer->ice.ice2);
  make_answer (f);
  /* RTCP is multiplexed now: its component has no candidates. */
  g_assert_cmpuint (f->answer->ice.n_candidates, ==, 1);
  g_assert_cmpuint (f->answer->ice.candidates[0].component, ==, 1);
  g_assert_cmpstr (f->bob_plan->ice.ufrag, ==, "alice");
  complete (f);
  g_assert_cmpstr (f->alice_plan->ice.ufrag, ==, "bob");

  /* The next offer inside the session knows it too. */
  g_autoptr (PhoneMediaDesc) again = NULL;
  f->alice.running = f->alice_plan;
  again = phone_offer_create (&f->alice, f->offer, FALSE, NULL);
  g_assert_cmpuint (again->ice.n_candidates, ==, 1);
}

static void
test_without_mux (Fixture *f, gconstpointer data)
{
  f->bob.rtcp_mux = FALSE;
  make_offer (f);
  make_answer (f);
  g_assert_cmpuint (f->answer->ice.n_candidates, ==, 2);
  complete (f);
  g_assert_false (f->alice_plan->rtcp_mux);
  g_assert_cmpuint (f->alice_plan->ice.n_candidates, ==, 2);
}

static void
test_one_without (Fixture *f, gconstpointer callee)
{
  *(callee ? &f->bob.ice : &f->alice.ice) = NULL;
  make_offer (f);
  make_answer (f);
  complete (f);
  g_assert_false (phone_media_desc_has_ice (f->answer));
  g_assert_false (f->answer->ice.mismatch);
  g_assert_false (phone_media_plan_has_ice (f->alice_plan));
  g_assert_false (phone_media_plan_has_ice (f->bob_plan));
  g_assert_cmpstr (f->alice_plan->remote_address, ==, "192.0.2.2");
}

/* Somebody on the way has put his own address into c= and knows nothing of candidates. */
static void
test_mismatch (Fixture *f, gconstpointer in_answer)
{
  make_offer (f);
  if (!in_answer)
    {
      g_free (f->offer->address);
      f->offer->address = g_strdup ("198.51.100.7");
      make_answer (f);
      g_assert_true (f->answer->ice.mismatch);
      g_assert_false (phone_media_desc_has_ice (f->answer));
      g_assert_false (phone_media_plan_has_ice (f->bob_plan));
      g_assert_cmpstr (f->bob_plan->remote_address, ==, "198.51.100.7");
      return;
    }
  make_answer (f);
  f->answer->port = 5000;
  complete (f);
  g_assert_false (phone_media_plan_has_ice (f->alice_plan));
  g_assert_cmpuint (f->alice_plan->remote_port, ==, 5000);
}

static void
test_usable (Fixture *f, gconstpointer data)
{
  make_offer (f);
  g_assert_true (phone_media_paths_usable (f->offer));
  f->offer->ice.mismatch = TRUE;
  g_assert_false (phone_media_paths_usable (f->offer));
  f->offer->ice.mismatch = FALSE;
  /* Whoever trickles may say nothing yet. */
  g_free (f->offer->address);
  f->offer->address = g_strdup ("0.0.0.0");
  f->offer->port = 9;
  f->offer->ice.n_candidates = 0;
  g_assert_true (phone_media_paths_usable (f->offer));
  g_free (f->offer->address);
  f->offer->address = g_strdup ("192.0.2.1");
  g_assert_false (phone_media_paths_usable (f->offer));
}

static void
test_restart (Fixture *f, gconstpointer data)
{
  make_offer (f);
  make_answer (f);
  g_assert_false (phone_media_paths_restarted (NULL, f->offer));
  g_assert_false (phone_media_paths_restarted (f->bob_plan, f->offer));
  f->offer->ice.candidates[0].port++;
  g_assert_false (phone_media_paths_restarted (f->bob_plan, f->offer));
  g_strlcpy (f->offer->ice.ufrag, "again", sizeof f->offer->ice.ufrag);
  g_assert_true (phone_media_paths_restarted (f->bob_plan, f->offer));
  f->offer->ice.ufrag[0] = '\0';
  g_assert_false (phone_media_paths_restarted (f->bob_plan, f->offer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/media-paths/both", Fixture, NULL, setup, test_both, teardown);
  g_test_add ("/media-paths/without-mux", Fixture, NULL, setup, test_without_mux, teardown);
  g_test_add ("/media-paths/caller-without", Fixture, NULL, setup, test_one_without, teardown);
  g_test_add ("/media-paths/callee-without", Fixture, "callee", setup, test_one_without, teardown);
  g_test_add ("/media-paths/mismatch/offer", Fixture, NULL, setup, test_mismatch, teardown);
  g_test_add ("/media-paths/mismatch/answer", Fixture, "answer", setup, test_mismatch, teardown);
  g_test_add ("/media-paths/usable", Fixture, NULL, setup, test_usable, teardown);
  g_test_add ("/media-paths/restart", Fixture, NULL, setup, test_restart, teardown);
  return g_test_run ();
}
