/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The schema as the list of steps that made it: a step is never edited once released, the next one is added behind it. user_version counts
 * the steps that a file has seen.
 *
 * Every list is in the order (start, seq), newest first, and has an index that ends in that order for each of its common filters, so a
 * page costs what it shows. A part of a name or address is found by trigrams (FTS5); those pages are in the order of recording. Which index
 * serves where several could is chosen in store-narrow.c. */

#include "store/store-db.h"

static const char step_history[]
    = "CREATE TABLE history ("
      "  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, incoming INTEGER NOT NULL,"
      "  outcome INTEGER NOT NULL, party TEXT NOT NULL, remote_uri TEXT NOT NULL, remote_name TEXT NOT NULL, asserted_id TEXT NOT NULL,"
      "  diverter TEXT NOT NULL, start INTEGER NOT NULL, answered INTEGER NOT NULL, ended INTEGER NOT NULL, actor TEXT NOT NULL,"
      "  cause TEXT NOT NULL, sip INTEGER NOT NULL, q850 INTEGER NOT NULL, phrase TEXT NOT NULL, refused_by TEXT NOT NULL,"
      "  codec TEXT NOT NULL, keying TEXT NOT NULL, suite TEXT NOT NULL, loss_local REAL, loss_remote REAL, jitter_local REAL,"
      "  jitter_remote REAL, round_trip REAL, mos REAL, seen INTEGER NOT NULL) STRICT;"
      "CREATE INDEX history_start ON history (start);"
      "CREATE INDEX history_account ON history (account, start);"
      "CREATE INDEX history_outcome ON history (outcome, start);"
      "CREATE INDEX history_account_outcome ON history (account, outcome, start);"
      "CREATE INDEX history_party ON history (party, start);"
      "CREATE INDEX history_unseen ON history (start) WHERE seen = 0;"
      "CREATE VIRTUAL TABLE history_text USING fts5 (remote_name, remote_uri, asserted_id, content = 'history', content_rowid = 'seq',"
      "  tokenize = 'trigram');"
      "CREATE TRIGGER history_inserted AFTER INSERT ON history BEGIN"
      "  INSERT INTO history_text (rowid, remote_name, remote_uri, asserted_id)"
      "    VALUES (new.seq, new.remote_name, new.remote_uri, new.asserted_id);"
      "END;"
      "CREATE TRIGGER history_deleted AFTER DELETE ON history BEGIN"
      "  INSERT INTO history_text (history_text, rowid, remote_name, remote_uri, asserted_id)"
      "    VALUES ('delete', old.seq, old.remote_name, old.remote_uri, old.asserted_id);"
      "END;";

/* A message is an entry of the history, so that one index lists, pages, searches and counts both, and what only a message has stands beside
 * it. The text of all is in one full text index. State and reports are numbers of core/message.h. */
static const char step_messages[]
    = "ALTER TABLE history ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE history ADD COLUMN text TEXT NOT NULL DEFAULT '';"
      "CREATE INDEX history_kind ON history (kind, start);"
      "CREATE INDEX history_kind_party ON history (kind, party, start);"
      "CREATE INDEX history_kind_account ON history (kind, account, start);"
      "CREATE INDEX history_kind_unseen ON history (kind, start) WHERE seen = 0;"
      "DROP TRIGGER history_inserted;"
      "DROP TRIGGER history_deleted;"
      "DROP TABLE history_text;"
      "CREATE VIRTUAL TABLE history_text USING fts5 (remote_name, remote_uri, asserted_id, text, content = 'history',"
      "  content_rowid = 'seq', tokenize = 'trigram');"
      "INSERT INTO history_text (history_text) VALUES ('rebuild');"
      "CREATE TRIGGER history_inserted AFTER INSERT ON history BEGIN"
      "  INSERT INTO history_text (rowid, remote_name, remote_uri, asserted_id, text)"
      "    VALUES (new.seq, new.remote_name, new.remote_uri, new.asserted_id, new.text);"
      "END;"
      "CREATE TRIGGER history_deleted AFTER DELETE ON history BEGIN"
      "  INSERT INTO history_text (history_text, rowid, remote_name, remote_uri, asserted_id, text)"
      "    VALUES ('delete', old.seq, old.remote_name, old.remote_uri, old.asserted_id, old.text);"
      "END;"
      "CREATE TABLE message ("
      "  seq INTEGER PRIMARY KEY REFERENCES history (seq) ON DELETE CASCADE, state INTEGER NOT NULL, changed INTEGER NOT NULL,"
      "  uncertain INTEGER NOT NULL, attempts INTEGER NOT NULL, imdn_id TEXT NOT NULL, transaction_id TEXT NOT NULL, asks INTEGER NOT NULL,"
      "  owes INTEGER NOT NULL) STRICT;"
      "CREATE UNIQUE INDEX message_transaction ON message (transaction_id) WHERE transaction_id <> '';"
      "CREATE INDEX message_imdn ON message (imdn_id) WHERE imdn_id <> '';"
      "CREATE INDEX message_open ON message (seq) WHERE state < 2 OR owes <> 0;";

/* Which conversations there are, and what is new in each, without looking at their messages: kept by triggers, so that nothing that writes
 * can forget it. When the newest message goes, the one before it is found by history_kind_party. */
static const char step_conversations[]
    = "CREATE TABLE conversation ("
      "  party TEXT PRIMARY KEY, last INTEGER NOT NULL, start INTEGER NOT NULL, total INTEGER NOT NULL, unread INTEGER NOT NULL) STRICT;"
      "CREATE INDEX conversation_start ON conversation (start, last);"
      "CREATE INDEX conversation_unread ON conversation (start, last) WHERE unread > 0;"
      "CREATE TRIGGER conversation_added AFTER INSERT ON history WHEN new.kind = 1 BEGIN"
      "  INSERT INTO conversation (party, last, start, total, unread) VALUES (new.party, new.seq, new.start, 1, new.seen = 0)"
      "    ON CONFLICT (party) DO UPDATE SET total = total + 1, unread = unread + excluded.unread,"
      "    last = iif (excluded.start >= start, excluded.last, last), start = max (start, excluded.start);"
      "END;"
      "CREATE TRIGGER conversation_read AFTER UPDATE OF seen ON history WHEN new.kind = 1 AND new.seen <> old.seen BEGIN"
      "  UPDATE conversation SET unread = unread + old.seen - new.seen WHERE party = new.party;"
      "END;"
      "CREATE TRIGGER conversation_deleted AFTER DELETE ON history WHEN old.kind = 1 BEGIN"
      "  UPDATE conversation SET total = total - 1, unread = unread - (old.seen = 0) WHERE party = old.party;"
      "  DELETE FROM conversation WHERE party = old.party AND total <= 0;"
      "  UPDATE conversation SET (last, start) = (SELECT seq, start FROM history WHERE kind = 1 AND party = old.party"
      "    ORDER BY start DESC, seq DESC LIMIT 1) WHERE party = old.party AND last = old.seq;"
      "END;"
      "INSERT INTO conversation (party, last, start, total, unread)"
      "  SELECT party, (SELECT seq FROM history AS n WHERE n.kind = 1 AND n.party = h.party ORDER BY n.start DESC, n.seq DESC LIMIT 1),"
      "    max (start), count (*), sum (seen = 0) FROM history AS h WHERE kind = 1 GROUP BY party;";

/* More of how a call sounded, and reports about it that no collector has taken yet. */
static const char step_quality[]
    = "ALTER TABLE history ADD COLUMN playout_target REAL;"
      "ALTER TABLE history ADD COLUMN playout_delay REAL;"
      "ALTER TABLE history ADD COLUMN concealed REAL;"
      "ALTER TABLE history ADD COLUMN accelerated REAL;"
      "ALTER TABLE history ADD COLUMN expanded REAL;"
      "ALTER TABLE history ADD COLUMN fec_used REAL;"
      "ALTER TABLE history ADD COLUMN copies_used REAL;"
      "ALTER TABLE history ADD COLUMN bitrate_target REAL;"
      "ALTER TABLE history ADD COLUMN here_signal REAL;"
      "ALTER TABLE history ADD COLUMN here_noise REAL;"
      "ALTER TABLE history ADD COLUMN here_rating REAL;"
      "ALTER TABLE history ADD COLUMN peer_rating REAL;"
      "ALTER TABLE history ADD COLUMN peer_mos REAL;"
      "ALTER TABLE history ADD COLUMN rate_reason TEXT NOT NULL DEFAULT '';"
      "CREATE TABLE report ("
      "  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL) STRICT;"
      "CREATE INDEX report_account ON report (account, seq);";

/* Who it may be in the address book: phone_party_dup_tail() of the party. Whether it is them is for the book to say. */
static const char step_tail[]
    = "ALTER TABLE history ADD COLUMN tail TEXT GENERATED ALWAYS AS"
      "  (lower (substr (iif (instr (party, '@'), substr (party, 1, instr (party, '@') - 1), party), -7))) VIRTUAL;"
      "CREATE INDEX history_tail ON history (tail);";

/* PhoneDisposition. */
static const char step_disposition[] = "ALTER TABLE message ADD COLUMN disposition INTEGER NOT NULL DEFAULT 0;";

typedef int (*Step) (StoreDb *db);

static int make_history (StoreDb *db) { return store_db_exec (db, step_history); }

static int make_messages (StoreDb *db) { return store_db_exec (db, step_messages); }

static int make_conversations (StoreDb *db) { return store_db_exec (db, step_conversations); }

static int make_quality (StoreDb *db) { return store_db_exec (db, step_quality); }

static int make_tail (StoreDb *db) { return store_db_exec (db, step_tail); }

static int make_disposition (StoreDb *db) { return store_db_exec (db, step_disposition); }

static const Step steps[] = { make_history, make_messages, make_conversations, make_quality, make_tail, make_disposition };
G_STATIC_ASSERT (G_N_ELEMENTS (steps) == STORE_SCHEMA_VERSION);

int
store_schema_version (StoreDb *db, int *ret_version)
{
  sqlite3_stmt *statement;
  int rc = sqlite3_prepare_v2 (db->db, "PRAGMA user_version", -1, &statement, NULL);

  if (rc != SQLITE_OK)
    return rc;
  rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    *ret_version = sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int
store_schema_migrate (StoreDb *db, int upto)
{
  int version = 0;
  int rc = store_schema_version (db, &version);

  if (rc == SQLITE_OK && (version < 0 || version > (int) G_N_ELEMENTS (steps)))
    return SQLITE_MISMATCH;
  for (; rc == SQLITE_OK && version < upto; version++)
    {
      char pragma[40];

      g_snprintf (pragma, sizeof pragma, "PRAGMA user_version = %d", version + 1);
      rc = store_db_exec (db, "BEGIN IMMEDIATE");
      if (rc == SQLITE_OK)
        rc = steps[version] (db);
      if (rc == SQLITE_OK)
        rc = store_db_exec (db, pragma);
      if (rc == SQLITE_OK)
        rc = store_db_exec (db, "COMMIT");
      if (rc != SQLITE_OK)
        sqlite3_exec (db->db, "ROLLBACK", NULL, NULL, NULL);
    }
  return rc;
}
