/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every enum that travels as text goes there and back, has distinct words, and refuses other words. The list of enums
 * below is compared with the headers by enum-list.py, so an enum that is added without being listed here fails. */

#include "core/account-settings.h"
#include "core/account.h"
#include "core/call.h"
#include "core/dtls.h"
#include "core/ice.h"
#include "core/media-desc.h"
#include "core/message.h"
#include "core/offer-answer.h"
#include "core/ports.h"
#include "core/presence.h"
#include "core/quality-report.h"
#include "core/reason.h"
#include "core/registry.h"
#include "core/watch.h"
#include "util/phone-uri.h"

#define CHECK(Type, prefix) \
  static void \
  check_##prefix (void) \
  { \
    g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal); \
    g_assert_cmpint (prefix##_n_values, >, 1); \
    for (int i = 0; i < prefix##_n_values; i++) \
      { \
        const char *text = prefix##_to_string ((Type) i); \
        Type back = (Type) -1; \
        g_autofree char *longer = NULL; \
        g_assert_nonnull (text); \
        g_assert_cmpstr (text, !=, ""); \
        g_assert_true (g_hash_table_add (seen, (gpointer) text)); \
        g_assert_true (prefix##_from_string (text, &back)); \
        g_assert_cmpint ((int) back, ==, i); \
        longer = g_strconcat (text, "x", NULL); \
        back = (Type) -1; \
        g_assert_false (prefix##_from_string (longer, &back)); \
        g_assert_cmpint ((int) back, ==, -1); \
      } \
    Type untouched = (Type) -1; \
    g_assert_false (prefix##_from_string ("", &untouched)); \
    g_assert_cmpint ((int) untouched, ==, -1); \
  }

#define ENUMS(X) \
  X (PhoneTransport, phone_transport) \
  X (PhoneMachine, phone_machine) \
  X (PhoneCollectEnd, phone_collect_end) \
  X (PhoneTaken, phone_taken) \
  X (PhoneDtmfMode, phone_dtmf_mode) \
  X (PhoneRedirects, phone_redirects) \
  X (PhoneKeying, phone_keying) \
  X (PhoneReferrals, phone_referrals) \
  X (PhoneParkMethod, phone_park_method) \
  X (PhoneRecordSignal, phone_record_signal) \
  X (PhoneRecordMark, phone_record_mark) \
  X (PhoneParticipantStatus, phone_participant_status) \
  X (PhoneTransferState, phone_transfer_state) \
  X (PhoneRegistration, phone_registration) \
  X (PhoneCallState, phone_call_state) \
  X (PhoneCallDirection, phone_call_direction) \
  X (PhoneCodecId, phone_codec_id) \
  X (PhoneDirection, phone_direction) \
  X (PhoneProfile, phone_profile) \
  X (PhoneSrtpSuite, phone_srtp_suite) \
  X (PhoneFeedbackType, phone_feedback_type) \
  X (PhoneExtensionType, phone_extension_type) \
  X (PhoneHash, phone_hash) \
  X (PhoneSetup, phone_setup) \
  X (PhoneSrtpPolicy, phone_srtp_policy) \
  X (PhoneTone, phone_tone) \
  X (PhoneFader, phone_fader) \
  X (PhoneCandidateType, phone_candidate_type) \
  X (PhoneCandidateTransport, phone_candidate_transport) \
  X (PhoneIceState, phone_ice_state) \
  X (PhoneCallRecording, phone_call_recording) \
  X (PhoneRecordPolicy, phone_record_policy) \
  X (PhoneRecordingKind, phone_recording_kind) \
  X (PhoneRecordingFormat, phone_recording_format) \
  X (PhoneRecordingState, phone_recording_state) \
  X (PhoneActor, phone_actor) \
  X (PhoneCause, phone_cause) \
  X (PhoneOutcome, phone_outcome) \
  X (PhoneMeasure, phone_measure) \
  X (PhoneQualityKind, phone_quality_kind) \
  X (PhoneQualityMetric, phone_quality_metric) \
  X (PhoneQualitySeverity, phone_quality_severity) \
  X (PhoneDndMode, phone_dnd_mode) \
  X (PhoneDaemonState, phone_daemon_state) \
  X (PhoneNetworkState, phone_network_state) \
  X (PhoneStatus, phone_status) \
  X (PhoneLamp, phone_lamp) \
  X (PhoneSubscription, phone_subscription) \
  X (PhoneDialogState, phone_dialog_state) \
  X (PhoneWatchKind, phone_watch_kind) \
  X (PhonePublish, phone_publish) \
  X (PhoneWatcherState, phone_watcher_state) \
  X (PhoneSubscribers, phone_subscribers) \
  X (PhoneMessageState, phone_message_state) \
  X (PhoneDisposition, phone_disposition) \
  X (PhoneMessageContent, phone_message_content) \
  X (PhoneMessageReports, phone_message_reports) \
  X (PhoneMessageReceipts, phone_message_receipts) \
  X (PhoneEntryKind, phone_entry_kind) \
  X (PhoneUriScheme, phone_uri_scheme)

ENUMS (CHECK)

#define ADD(Type, prefix) g_test_add_func ("/enum/" #Type, check_##prefix);

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ENUMS (ADD)
  return g_test_run ();
}
