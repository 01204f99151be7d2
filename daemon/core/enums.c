/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Both directions of the text form of every enum that core/ declares, in one place, so that one round-trip test covers
 * them and no room defines one twice. */

#include "core/account-settings.h"
#include "core/account.h"
#include "core/call.h"
#include "core/dtls.h"
#include "core/ice.h"
#include "core/dnd.h"
#include "core/fader.h"
#include "core/history-entry.h"
#include "core/media-desc.h"
#include "core/message.h"
#include "core/offer-answer.h"
#include "core/participant.h"
#include "core/ports.h"
#include "core/presence.h"
#include "core/reason.h"
#include "core/recording.h"
#include "core/registry.h"
#include "core/watch.h"

PHONE_DEFINE_ENUM (PhoneTransport, phone_transport, PHONE_TRANSPORT_LIST)
PHONE_DEFINE_ENUM (PhoneDtmfMode, phone_dtmf_mode, PHONE_DTMF_MODE_LIST)
PHONE_DEFINE_ENUM (PhoneRedirects, phone_redirects, PHONE_REDIRECTS_LIST)
PHONE_DEFINE_ENUM (PhoneKeying, phone_keying, PHONE_KEYING_LIST)
PHONE_DEFINE_ENUM (PhoneReferrals, phone_referrals, PHONE_REFERRALS_LIST)
PHONE_DEFINE_ENUM (PhoneParticipantStatus, phone_participant_status, PHONE_PARTICIPANT_STATUS_LIST)
PHONE_DEFINE_ENUM (PhoneRecordMark, phone_record_mark, PHONE_RECORD_MARK_LIST)
PHONE_DEFINE_ENUM (PhoneRecordSignal, phone_record_signal, PHONE_RECORD_SIGNAL_LIST)
PHONE_DEFINE_ENUM (PhoneParkMethod, phone_park_method, PHONE_PARK_METHOD_LIST)
PHONE_DEFINE_ENUM (PhoneTransferState, phone_transfer_state, PHONE_TRANSFER_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneRegistration, phone_registration, PHONE_REGISTRATION_LIST)
PHONE_DEFINE_ENUM (PhoneCallState, phone_call_state, PHONE_CALL_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneCallDirection, phone_call_direction, PHONE_CALL_DIRECTION_LIST)
PHONE_DEFINE_ENUM (PhoneCallRecording, phone_call_recording, PHONE_CALL_RECORDING_LIST)
PHONE_DEFINE_ENUM (PhoneTaken, phone_taken, PHONE_TAKEN_LIST)
PHONE_DEFINE_ENUM (PhoneCollectEnd, phone_collect_end, PHONE_COLLECT_END_LIST)
PHONE_DEFINE_ENUM (PhoneMachine, phone_machine, PHONE_MACHINE_LIST)
PHONE_DEFINE_ENUM (PhoneRecordPolicy, phone_record_policy, PHONE_RECORD_POLICY_LIST)
PHONE_DEFINE_ENUM (PhoneCodecId, phone_codec_id, PHONE_CODEC_LIST)
PHONE_DEFINE_ENUM (PhoneDirection, phone_direction, PHONE_DIRECTION_LIST)
PHONE_DEFINE_ENUM (PhoneProfile, phone_profile, PHONE_PROFILE_LIST)
PHONE_DEFINE_ENUM (PhoneSrtpSuite, phone_srtp_suite, PHONE_SRTP_SUITE_LIST)
PHONE_DEFINE_ENUM (PhoneFeedbackType, phone_feedback_type, PHONE_FEEDBACK_LIST)
PHONE_DEFINE_ENUM (PhoneExtensionType, phone_extension_type, PHONE_EXTENSION_LIST)
PHONE_DEFINE_ENUM (PhoneHash, phone_hash, PHONE_HASH_LIST)
PHONE_DEFINE_ENUM (PhoneSetup, phone_setup, PHONE_SETUP_LIST)
PHONE_DEFINE_ENUM (PhoneSrtpPolicy, phone_srtp_policy, PHONE_SRTP_POLICY_LIST)
PHONE_DEFINE_ENUM (PhoneTone, phone_tone, PHONE_TONE_LIST)
PHONE_DEFINE_ENUM (PhoneFader, phone_fader, PHONE_FADER_LIST)
PHONE_DEFINE_ENUM (PhoneDndMode, phone_dnd_mode, PHONE_DND_MODE_LIST)
PHONE_DEFINE_ENUM (PhoneEntryKind, phone_entry_kind, PHONE_ENTRY_KIND_LIST)
PHONE_DEFINE_ENUM (PhoneOutcome, phone_outcome, PHONE_OUTCOME_LIST)
PHONE_DEFINE_ENUM (PhoneMeasure, phone_measure, PHONE_MEASURE_LIST)
PHONE_DEFINE_ENUM (PhoneActor, phone_actor, PHONE_ACTOR_LIST)
PHONE_DEFINE_ENUM (PhoneCause, phone_cause, PHONE_CAUSE_LIST)
PHONE_DEFINE_ENUM (PhoneRecordingKind, phone_recording_kind, PHONE_RECORDING_KIND_LIST)
PHONE_DEFINE_ENUM (PhoneRecordingFormat, phone_recording_format, PHONE_RECORDING_FORMAT_LIST)
PHONE_DEFINE_ENUM (PhoneRecordingState, phone_recording_state, PHONE_RECORDING_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneDaemonState, phone_daemon_state, PHONE_DAEMON_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneNetworkState, phone_network_state, PHONE_NETWORK_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneCandidateType, phone_candidate_type, PHONE_CANDIDATE_TYPE_LIST)
PHONE_DEFINE_ENUM (PhoneCandidateTransport, phone_candidate_transport, PHONE_CANDIDATE_TRANSPORT_LIST)
PHONE_DEFINE_ENUM (PhoneIceState, phone_ice_state, PHONE_ICE_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneStatus, phone_status, PHONE_STATUS_LIST)
PHONE_DEFINE_ENUM (PhoneLamp, phone_lamp, PHONE_LAMP_LIST)
PHONE_DEFINE_ENUM (PhoneSubscription, phone_subscription, PHONE_SUBSCRIPTION_LIST)
PHONE_DEFINE_ENUM (PhoneDialogState, phone_dialog_state, PHONE_DIALOG_STATE_LIST)
PHONE_DEFINE_ENUM (PhoneWatchKind, phone_watch_kind, PHONE_WATCH_KIND_LIST)
PHONE_DEFINE_ENUM (PhonePublish, phone_publish, PHONE_PUBLISH_LIST)
PHONE_DEFINE_ENUM (PhoneWatcherState, phone_watcher_state, PHONE_WATCHER_LIST)
PHONE_DEFINE_ENUM (PhoneSubscribers, phone_subscribers, PHONE_SUBSCRIBERS_LIST)
PHONE_DEFINE_ENUM (PhoneMessageContent, phone_message_content, PHONE_MESSAGE_CONTENT_LIST)
PHONE_DEFINE_ENUM (PhoneMessageReports, phone_message_reports, PHONE_MESSAGE_REPORTS_LIST)
PHONE_DEFINE_ENUM (PhoneMessageReceipts, phone_message_receipts, PHONE_MESSAGE_RECEIPTS_LIST)
PHONE_DEFINE_ENUM (PhoneDisposition, phone_disposition, PHONE_DISPOSITION_LIST)
PHONE_DEFINE_ENUM (PhoneMessageState, phone_message_state, PHONE_MESSAGE_STATE_LIST)
