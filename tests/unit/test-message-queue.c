/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue of outgoing messages, what answers mean, who is writing, and how much a peer may send. The clock is a number. */

#include "core/allowance.h"
#include "core/composing.h"
#include "core/message-queue.h"

#define S ((gint64) G_USEC_PER_SEC)

static void
test_judge (void)
{
  static const struct
  {
    PhoneMessageAnswer answer;
    PhoneMessageVerdict verdict;
  } cases[] = {
    { { 200, FALSE, 0 }, PHONE_MESSAGE_TAKEN },       { { 202, FALSE, 0 }, PHONE_MESSAGE_TAKEN },
    { { 480, FALSE, 0 }, PHONE_MESSAGE_LATER },       { { 503, FALSE, 30 }, PHONE_MESSAGE_LATER },
    { { 503, TRUE, 0 }, PHONE_MESSAGE_LATER },        { { 404, FALSE, 0 }, PHONE_MESSAGE_REFUSED },
    { { 404, FALSE, 60 }, PHONE_MESSAGE_LATER },      { { 403, FALSE, 60 }, PHONE_MESSAGE_REFUSED },
    { { 408, TRUE, 0 }, PHONE_MESSAGE_LOST_SIGHT },   { { 408, FALSE, 0 }, PHONE_MESSAGE_LOST_SIGHT },
    { { 415, FALSE, 0 }, PHONE_MESSAGE_REFUSED },     { { 904, TRUE, 0 }, PHONE_MESSAGE_REFUSED },
    { { 401, FALSE, 0 }, PHONE_MESSAGE_REFUSED },     { { 603, FALSE, 0 }, PHONE_MESSAGE_REFUSED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (phone_message_judge (&cases[i].answer), ==, cases[i].verdict);
}

/* One at a time in a lane, in order; lanes do not wait for each other. */
static void
test_order (void)
{
  g_autoptr (PhoneMessageQueue) queue = phone_message_queue_new ();

  phone_message_queue_add (queue, "a1", "home", "bob");
  phone_message_queue_add (queue, "a2", "home", "bob");
  phone_message_queue_add (queue, "b1", "home", "carol");
  phone_message_queue_add (queue, "a1", "home", "bob");         /* twice is once */
  g_assert_cmpuint (phone_message_queue_get_length (queue), ==, 3);
  g_assert_null (phone_message_queue_next (queue, 0));          /* offline */
  g_assert_cmpint (phone_message_queue_wake (queue, 0), ==, -1);
  phone_message_queue_set_ready (queue, "home", TRUE);
  g_assert_cmpstr (phone_message_queue_next (queue, 0), ==, "a1");
  g_assert_cmpstr (phone_message_queue_next (queue, 0), ==, "b1");
  g_assert_null (phone_message_queue_next (queue, 0));
  g_assert_true (phone_message_queue_is_out (queue, "a1"));
  g_assert_true (phone_message_queue_remove (queue, "a1"));
  g_assert_false (phone_message_queue_remove (queue, "a1"));
  g_assert_cmpstr (phone_message_queue_next (queue, 0), ==, "a2");
  /* the same name with another account is another lane */
  phone_message_queue_add (queue, "c1", "work", "bob");
  g_assert_null (phone_message_queue_next (queue, 0));
  phone_message_queue_set_ready (queue, "work", TRUE);
  g_assert_cmpstr (phone_message_queue_next (queue, 0), ==, "c1");
}

/* What was put back stays the first of its lane, and waits for its time or for somebody to hurry it. */
static void
test_later (void)
{
  g_autoptr (PhoneMessageQueue) queue = phone_message_queue_new ();
  gint64 due;

  phone_message_queue_set_ready (queue, "home", TRUE);
  phone_message_queue_add (queue, "a1", "home", "bob");
  phone_message_queue_add (queue, "a2", "home", "bob");
  g_assert_cmpstr (phone_message_queue_next (queue, 0), ==, "a1");
  due = phone_message_queue_put_back (queue, "a1", 300, 0, 0.0);
  g_assert_cmpint (due, ==, 300 * S);
  g_assert_null (phone_message_queue_next (queue, 299 * S));
  g_assert_cmpint (phone_message_queue_wake (queue, 10 * S), ==, 300 * S);
  g_assert_cmpstr (phone_message_queue_next (queue, 300 * S), ==, "a1");
  due = phone_message_queue_put_back (queue, "a1", 0, 300 * S, 0.0);
  g_assert_cmpint (due, >, 300 * S);
  phone_message_queue_hurry (queue, "home", "carol");
  g_assert_null (phone_message_queue_next (queue, 300 * S));
  phone_message_queue_hurry (queue, "home", "bob");
  g_assert_cmpstr (phone_message_queue_next (queue, 300 * S), ==, "a1");
  phone_message_queue_put_back (queue, "a1", 0, 300 * S, 0.0);
  phone_message_queue_set_ready (queue, "home", FALSE);
  g_assert_null (phone_message_queue_next (queue, 9000 * S));
  phone_message_queue_set_ready (queue, "home", TRUE);          /* back again: no need to wait */
  g_assert_cmpstr (phone_message_queue_next (queue, 300 * S), ==, "a1");
}

static void
test_limit_out (void)
{
  g_autoptr (PhoneMessageQueue) queue = phone_message_queue_new ();
  guint n = 0;

  phone_message_queue_set_ready (queue, "home", TRUE);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      phone_message_queue_add (queue, id, "home", id);
    }
  while (phone_message_queue_next (queue, 0))
    n++;
  g_assert_cmpuint (n, ==, 16);
  g_assert_cmpint (phone_message_queue_wake (queue, 0), ==, -1);
}

static void
test_become (void)
{
  g_assert_true (phone_message_may_become (PHONE_MESSAGE_SENDING, PHONE_MESSAGE_DELIVERED));    /* the report overtook the answer */
  g_assert_false (phone_message_may_become (PHONE_MESSAGE_DELIVERED, PHONE_MESSAGE_SENT));
  g_assert_false (phone_message_may_become (PHONE_MESSAGE_DISPLAYED, PHONE_MESSAGE_DELIVERED));
  g_assert_true (phone_message_may_become (PHONE_MESSAGE_FAILED, PHONE_MESSAGE_DISPLAYED));
  g_assert_false (phone_message_may_become (PHONE_MESSAGE_QUEUED, PHONE_MESSAGE_DELIVERED));
  for (int i = 0; i < phone_message_state_n_values; i++)
    g_assert_false (phone_message_may_become (PHONE_MESSAGE_RECEIVED, (PhoneMessageState) i));
}

static void
test_composer (void)
{
  PhoneComposer composer = { 0 };

  g_assert_cmpint (phone_composer_wake (&composer), ==, -1);
  g_assert_cmpint (phone_composer_touch (&composer, 100 * S), ==, PHONE_COMPOSING_SAY_ACTIVE);
  g_assert_cmpint (phone_composer_touch (&composer, 101 * S), ==, PHONE_COMPOSING_NOTHING);
  g_assert_cmpint (phone_composer_wake (&composer), ==, 116 * S);
  for (gint64 t = 102; t < 190; t++)
    g_assert_cmpint (phone_composer_touch (&composer, t * S), ==, PHONE_COMPOSING_NOTHING);
  g_assert_cmpint (phone_composer_touch (&composer, 190 * S), ==, PHONE_COMPOSING_SAY_ACTIVE);  /* before 120 s are over */
  g_assert_cmpint (phone_composer_tick (&composer, 204 * S), ==, PHONE_COMPOSING_NOTHING);
  g_assert_cmpint (phone_composer_tick (&composer, 205 * S), ==, PHONE_COMPOSING_SAY_IDLE);
  g_assert_cmpint (phone_composer_tick (&composer, 300 * S), ==, PHONE_COMPOSING_NOTHING);
  phone_composer_touch (&composer, 400 * S);
  phone_composer_sent (&composer);
  g_assert_cmpint (phone_composer_tick (&composer, 500 * S), ==, PHONE_COMPOSING_NOTHING);
  g_assert_cmpint (phone_composer_stop (&composer), ==, PHONE_COMPOSING_NOTHING);
}

static void
test_composing_peer (void)
{
  PhoneComposingPeer peer = { 0 };

  g_assert_false (phone_composing_peer_said (&peer, FALSE, 0, 0));
  g_assert_true (phone_composing_peer_said (&peer, TRUE, 60, 0));
  g_assert_false (phone_composing_peer_said (&peer, TRUE, 60, 50 * S));
  g_assert_false (phone_composing_peer_tick (&peer, 109 * S));
  g_assert_true (phone_composing_peer_tick (&peer, 110 * S));
  g_assert_false (phone_composing_peer_tick (&peer, 111 * S));
  g_assert_true (phone_composing_peer_said (&peer, TRUE, 0, 200 * S));
  g_assert_cmpint (peer.until, ==, 320 * S);
  g_assert_true (phone_composing_peer_sent (&peer));
  g_assert_true (phone_composing_peer_said (&peer, TRUE, 100000, 0));
  g_assert_cmpint (peer.until, ==, 3600 * S);
}

static void
test_allowance (void)
{
  PhoneAllowance *allowance = phone_allowance_new (3, 60, 2);

  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (phone_allowance_take (allowance, "a", 0), ==, 0);
  g_assert_cmpuint (phone_allowance_take (allowance, "a", 0), ==, 1);
  g_assert_cmpuint (phone_allowance_take (allowance, "b", 0), ==, 0);
  g_assert_cmpuint (phone_allowance_take (allowance, "a", 1 * S), ==, 0);
  g_assert_cmpuint (phone_allowance_take (allowance, "a", 1 * S), ==, 1);
  /* a third key takes the place of the one that was silent longest */
  g_assert_cmpuint (phone_allowance_take (allowance, "c", 2 * S), ==, 0);
  g_assert_cmpuint (phone_allowance_take (allowance, "a", 2 * S), ==, 0);
  g_assert_cmpuint (phone_allowance_take (allowance, "a", 2 * S), ==, 1);
  phone_allowance_free (allowance);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message-queue/judge", test_judge);
  g_test_add_func ("/message-queue/order", test_order);
  g_test_add_func ("/message-queue/later", test_later);
  g_test_add_func ("/message-queue/limit-out", test_limit_out);
  g_test_add_func ("/message-queue/become", test_become);
  g_test_add_func ("/message-queue/composer", test_composer);
  g_test_add_func ("/message-queue/composing-peer", test_composing_peer);
  g_test_add_func ("/message-queue/allowance", test_allowance);
  return g_test_run ();
}
