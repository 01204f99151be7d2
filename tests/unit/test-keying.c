/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which way keys are agreed on, who shakes hands with whom in which role, and when anew. */

#include "core/offer-answer.h"

#include <string.h>

static const PhoneDtlsDesc alice_dtls = { .n_fingerprints = 1, .fingerprints = { { .hash = PHONE_HASH_SHA256, .octets = { 0xa1 } } },
                                          .tls_id = "alicealicealicealice" };
static const PhoneDtlsDesc bob_dtls = { .n_fingerprints = 1, .fingerprints = { { .hash = PHONE_HASH_SHA256, .octets = { 0xb0 } } },
                                        .tls_id = "bobbobbobbobbobbobbob" };

static PhoneMediaCaps
caps_of (const char *address, const PhoneDtlsDesc *dtls)
{
  return (PhoneMediaCaps) { .n_codecs = 1, .codecs = { PHONE_CODEC_PCMA }, .srtp = PHONE_SRTP_REQUIRED, .sdes_allowed = TRUE,
                            .keying = PHONE_KEYING_ANY, .dtls = dtls, .ptime = 20, .direction = PHONE_DIRECTION_SENDRECV,
                            .address = address, .port = 4000, .rtcp_port = 4001, .rtcp_mux = TRUE };
}

#define ALICE caps_of ("192.0.2.1", &alice_dtls)
#define BOB caps_of ("192.0.2.2", &bob_dtls)

static PhoneMediaDesc *
offer_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *offer = phone_offer_create (caps, previous, FALSE, &error);

  g_assert_no_error (error);
  return offer;
}

static PhoneMediaDesc *
answer_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous, PhoneMediaPlan **ret_plan)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *answer = phone_answer_create (caps, offer, previous, ret_plan, &error);

  g_assert_no_error (error);
  return answer;
}

static PhoneMediaPlan *
plan_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *answer)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaPlan *plan = phone_offer_complete (caps, offer, answer, &error);

  g_assert_no_error (error);
  return plan;
}

/* ---- offers ---- */

static void
test_offers (void)
{
  static const struct { PhoneSrtpPolicy srtp; PhoneKeying keying; gboolean sdes, dtls, first; const char *profile; } cases[] = {
    { PHONE_SRTP_OFF, PHONE_KEYING_DTLS, TRUE, TRUE, TRUE, "RTP/AVP" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_ANY, TRUE, TRUE, FALSE, "RTP/SAVP" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_ANY, TRUE, TRUE, TRUE, "UDP/TLS/RTP/SAVPF" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_ANY, FALSE, TRUE, FALSE, "RTP/AVP" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_DTLS, TRUE, TRUE, FALSE, "UDP/TLS/RTP/SAVPF" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_DTLS, TRUE, FALSE, FALSE, "RTP/AVP" },
    { PHONE_SRTP_PREFERRED, PHONE_KEYING_SDES, TRUE, TRUE, TRUE, "RTP/SAVP" },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, TRUE, FALSE, "RTP/SAVP" },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, FALSE, TRUE, FALSE, "UDP/TLS/RTP/SAVPF" },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_DTLS, FALSE, TRUE, FALSE, "UDP/TLS/RTP/SAVPF" },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_DTLS, TRUE, FALSE, FALSE, NULL },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, FALSE, FALSE, FALSE, NULL },
    { PHONE_SRTP_REQUIRED, PHONE_KEYING_SDES, FALSE, TRUE, FALSE, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneMediaCaps caps = ALICE;
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneMediaDesc) offer = NULL;
      gboolean dtls;

      caps.srtp = cases[i].srtp;
      caps.keying = cases[i].keying;
      caps.sdes_allowed = cases[i].sdes;
      caps.dtls_first = cases[i].first;
      if (!cases[i].dtls)
        caps.dtls = NULL;
      offer = phone_offer_create (&caps, NULL, FALSE, &error);
      g_test_message ("case %" G_GSIZE_FORMAT, i);
      if (cases[i].profile == NULL)
        {
          g_assert_null (offer);
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
          continue;
        }
      g_assert_cmpstr (phone_profile_to_string (offer->profile), ==, cases[i].profile);
      dtls = offer->profile == PHONE_PROFILE_DTLS_SAVPF;
      g_assert_cmpint (offer->dtls.n_fingerprints, ==, dtls);
      g_assert_cmpint (offer->n_cryptos > 0, ==, offer->profile == PHONE_PROFILE_SAVP);
      if (dtls)
        {
          g_assert_cmpint (offer->dtls.setup, ==, PHONE_SETUP_ACTPASS);
          g_assert_cmpstr (offer->dtls.tls_id, ==, "alicealicealicealice");
        }
    }
}

/* ---- answers ---- */

/* c: a=crypto, f: a=fingerprint in the offer. What comes of it: "sdes", "dtls", "clear", else a piece of the refusal. */
static void
test_answers (void)
{
  static const struct { PhoneProfile profile; const char *has; PhoneSrtpPolicy srtp; PhoneKeying keying; gboolean sdes; const char *outcome; } cases[] = {
    { PHONE_PROFILE_DTLS_SAVPF, "f", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "dtls" },
    { PHONE_PROFILE_DTLS_SAVP, "f", PHONE_SRTP_PREFERRED, PHONE_KEYING_DTLS, FALSE, "dtls" },
    { PHONE_PROFILE_DTLS_SAVPF, "cf", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "dtls" },
    { PHONE_PROFILE_DTLS_SAVPF, "c", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "without a usable a=fingerprint" },
    { PHONE_PROFILE_DTLS_SAVPF, "f", PHONE_SRTP_REQUIRED, PHONE_KEYING_SDES, TRUE, "by SDES only" },
    { PHONE_PROFILE_DTLS_SAVPF, "f", PHONE_SRTP_OFF, PHONE_KEYING_ANY, TRUE, "SRTP is off" },
    { PHONE_PROFILE_SAVP, "c", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "sdes" },
    { PHONE_PROFILE_SAVP, "c", PHONE_SRTP_REQUIRED, PHONE_KEYING_DTLS, TRUE, "by DTLS only" },
    { PHONE_PROFILE_SAVPF, "cf", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "sdes" },
    { PHONE_PROFILE_SAVPF, "cf", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, FALSE, "dtls" },
    { PHONE_PROFILE_SAVPF, "cf", PHONE_SRTP_REQUIRED, PHONE_KEYING_DTLS, TRUE, "dtls" },
    { PHONE_PROFILE_SAVPF, "f", PHONE_SRTP_REQUIRED, PHONE_KEYING_SDES, TRUE, "without a usable a=crypto" },
    { PHONE_PROFILE_AVP, "f", PHONE_SRTP_REQUIRED, PHONE_KEYING_ANY, TRUE, "dtls" },
    { PHONE_PROFILE_AVP, "f", PHONE_SRTP_OFF, PHONE_KEYING_ANY, TRUE, "clear" },
    { PHONE_PROFILE_AVP, "cf", PHONE_SRTP_PREFERRED, PHONE_KEYING_ANY, TRUE, "sdes" },
    { PHONE_PROFILE_AVP, "c", PHONE_SRTP_PREFERRED, PHONE_KEYING_DTLS, TRUE, "clear" },
    { PHONE_PROFILE_AVP, "c", PHONE_SRTP_REQUIRED, PHONE_KEYING_DTLS, TRUE, "SRTP is required" },
    { PHONE_PROFILE_AVP, "", PHONE_SRTP_PREFERRED, PHONE_KEYING_DTLS, TRUE, "clear" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneMediaCaps alice = ALICE, bob = BOB;
      g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL;
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      alice.srtp = PHONE_SRTP_OFF;
      offer = offer_of (&alice, NULL);
      offer->profile = cases[i].profile;
      if (strchr (cases[i].has, 'c') != NULL)
        g_assert_true (phone_srtp_key_generate (&offer->cryptos[offer->n_cryptos++], PHONE_SRTP_AEAD_AES_128_GCM, 1, NULL));
      if (strchr (cases[i].has, 'f') != NULL)
        {
          offer->dtls = alice_dtls;
          offer->dtls.has_setup = TRUE;
        }
      bob.srtp = cases[i].srtp;
      bob.keying = cases[i].keying;
      bob.sdes_allowed = cases[i].sdes;
      answer = phone_answer_create (&bob, offer, NULL, &plan, &error);
      if (strlen (cases[i].outcome) > 5)
        {
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
          if (strstr (error->message, cases[i].outcome) == NULL)
            g_error ("\"%s\" does not say \"%s\"", error->message, cases[i].outcome);
          continue;
        }
      g_assert_no_error (error);
      g_assert_cmpint (answer->profile, ==, cases[i].profile);
      g_assert_cmpint (plan->dtls, ==, g_str_equal (cases[i].outcome, "dtls"));
      g_assert_cmpint (plan->encrypted, ==, !g_str_equal (cases[i].outcome, "clear"));
      g_assert_cmpuint (answer->n_cryptos, ==, g_str_equal (cases[i].outcome, "sdes") ? 1 : 0);
      g_assert_cmpuint (answer->dtls.n_fingerprints, ==, plan->dtls ? 1 : 0);
    }
}

/* ---- roles ---- */

static void
test_roles (void)
{
  static const struct { gboolean has; PhoneSetup theirs; int ours; } answers[] = {
    { TRUE, PHONE_SETUP_ACTPASS, PHONE_SETUP_ACTIVE }, { TRUE, PHONE_SETUP_ACTIVE, PHONE_SETUP_PASSIVE },
    { TRUE, PHONE_SETUP_PASSIVE, PHONE_SETUP_ACTIVE }, { FALSE, PHONE_SETUP_ACTPASS, PHONE_SETUP_PASSIVE },
    { TRUE, PHONE_SETUP_HOLDCONN, -1 },
  };
  static const struct { gboolean has; PhoneSetup theirs; int client; } completions[] = {
    { TRUE, PHONE_SETUP_ACTIVE, FALSE }, { TRUE, PHONE_SETUP_PASSIVE, TRUE }, { TRUE, PHONE_SETUP_ACTPASS, TRUE },
    { FALSE, PHONE_SETUP_ACTIVE, TRUE }, { TRUE, PHONE_SETUP_HOLDCONN, -1 },
  };
  PhoneMediaCaps alice = ALICE, bob = BOB;

  alice.keying = PHONE_KEYING_DTLS;
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL), answer = NULL;
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autoptr (GError) error = NULL;

      offer->dtls.has_setup = answers[i].has;
      offer->dtls.setup = answers[i].theirs;
      answer = phone_answer_create (&bob, offer, NULL, &plan, &error);
      g_assert_cmpint (answer != NULL, ==, answers[i].ours >= 0);
      if (answer == NULL)
        continue;
      g_assert_cmpint (answer->dtls.setup, ==, answers[i].ours);
      g_assert_cmpint (plan->handshake.client, ==, answers[i].ours == PHONE_SETUP_ACTIVE);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (completions); i++)
    {
      g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL), answer = NULL;
      g_autoptr (PhoneMediaPlan) plan = NULL, done = NULL;

      answer = answer_of (&bob, offer, NULL, &plan);
      answer->dtls.has_setup = completions[i].has;
      answer->dtls.setup = completions[i].theirs;
      done = phone_offer_complete (&alice, offer, answer, NULL);
      g_assert_cmpint (done != NULL, ==, completions[i].client >= 0);
      if (done != NULL)
        g_assert_cmpint (done->handshake.client, ==, completions[i].client);
    }
}

static void
test_strongest (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;
  static const PhoneHash hashes[] = { PHONE_HASH_SHA1, PHONE_HASH_SHA384, PHONE_HASH_SHA256, PHONE_HASH_SHA384 };

  alice.keying = PHONE_KEYING_DTLS;
  offer = offer_of (&alice, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++)
    offer->dtls.fingerprints[i] = (PhoneFingerprint) { .hash = hashes[i], .octets = { (guint8) i } };
  offer->dtls.n_fingerprints = G_N_ELEMENTS (hashes);
  answer = answer_of (&bob, offer, NULL, &plan);
  g_assert_cmpuint (plan->handshake.n_fingerprints, ==, 2);
  g_assert_cmpuint (plan->handshake.fingerprints[0].octets[0], ==, 1);
  g_assert_cmpuint (plan->handshake.fingerprints[1].octets[0], ==, 3);
}

static void
test_bad_answer (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  alice.keying = PHONE_KEYING_DTLS;
  offer = offer_of (&alice, NULL);
  answer = answer_of (&bob, offer, NULL, &plan);
  answer->dtls.n_fingerprints = 0;
  g_assert_null (phone_offer_complete (&alice, offer, answer, &error));
  g_assert_nonnull (strstr (error->message, "a=fingerprint"));
  g_clear_error (&error);
  answer->dtls = bob_dtls;
  answer->profile = PHONE_PROFILE_SAVPF;
  g_assert_null (phone_offer_complete (&alice, offer, answer, &error));
  g_assert_nonnull (strstr (error->message, "profile RTP/SAVPF"));
}

/* ---- re-offers ---- */

typedef void (*Change) (PhoneMediaDesc *offer);

static void hold (PhoneMediaDesc *offer) { offer->direction = PHONE_DIRECTION_SENDONLY; }
static void old_hold (PhoneMediaDesc *offer) { g_free (offer->address); offer->address = g_strdup ("0.0.0.0"); }
static void other_print (PhoneMediaDesc *offer) { offer->dtls.fingerprints[0].octets[0]++; }
static void other_id (PhoneMediaDesc *offer) { offer->dtls.tls_id[0] = 'x'; }
static void move (PhoneMediaDesc *offer) { offer->port += 2; }
static void no_id (PhoneMediaDesc *offer) { offer->dtls.tls_id[0] = '\0'; }
static void move_without_id (PhoneMediaDesc *offer) { no_id (offer); move (offer); }
static void other_role (PhoneMediaDesc *offer) { offer->dtls.setup = PHONE_SETUP_ACTIVE; }
static void same_role (PhoneMediaDesc *offer) { offer->dtls.setup = PHONE_SETUP_PASSIVE; }
static void old_hold_without_id (PhoneMediaDesc *offer) { no_id (offer); old_hold (offer); }

static void
test_reoffers (void)
{
  static const struct { Change first, then; guint association; gboolean client; } cases[] = {
    { NULL, NULL, 1, TRUE }, { NULL, hold, 1, TRUE }, { NULL, old_hold, 1, TRUE }, { NULL, same_role, 1, TRUE }, { NULL, move, 1, TRUE },
    { NULL, other_print, 2, TRUE }, { NULL, other_id, 2, TRUE }, { NULL, other_role, 2, FALSE },
    { no_id, no_id, 1, TRUE }, { no_id, old_hold_without_id, 1, TRUE }, { no_id, move_without_id, 2, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneMediaCaps alice = ALICE, bob = BOB;
      g_autoptr (PhoneMediaDesc) offer = NULL, again = NULL, answer = NULL, second = NULL, third = NULL, ours = NULL;
      g_autoptr (PhoneMediaPlan) plan = NULL, next = NULL, after = NULL;

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      alice.keying = PHONE_KEYING_DTLS;
      offer = offer_of (&alice, NULL);
      if (cases[i].first != NULL)
        cases[i].first (offer);
      answer = answer_of (&bob, offer, NULL, &plan);
      again = offer_of (&alice, offer);
      g_assert_true (phone_dtls_desc_equal (&again->dtls, &alice_dtls) || again->dtls.setup == PHONE_SETUP_ACTPASS);
      if (cases[i].then != NULL)
        cases[i].then (again);
      bob.running = plan;
      second = answer_of (&bob, again, answer, &next);
      g_assert_cmpuint (next->handshake.association, ==, cases[i].association);
      g_assert_cmpint (next->handshake.client, ==, cases[i].client);
      g_assert_cmpint (second->dtls.setup, ==, cases[i].client ? PHONE_SETUP_ACTIVE : PHONE_SETUP_PASSIVE);

      /* Then we offer: whatever the account says, the session keeps its keying, and the association goes on. */
      bob.running = next;
      bob.keying = PHONE_KEYING_ANY;
      ours = offer_of (&bob, second);
      g_assert_cmpint (ours->dtls.setup, ==, PHONE_SETUP_ACTPASS);
      third = phone_media_desc_copy (again);
      third->dtls.setup = cases[i].client ? PHONE_SETUP_PASSIVE : PHONE_SETUP_ACTIVE;
      after = plan_of (&bob, ours, third);
      g_assert_cmpuint (after->handshake.association, ==, cases[i].association);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keying/offers", test_offers);
  g_test_add_func ("/keying/answers", test_answers);
  g_test_add_func ("/keying/roles", test_roles);
  g_test_add_func ("/keying/strongest", test_strongest);
  g_test_add_func ("/keying/bad-answer", test_bad_answer);
  g_test_add_func ("/keying/reoffers", test_reoffers);
  return g_test_run ();
}
