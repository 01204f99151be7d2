/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of a user and of an administrator in a directory made for each test. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "config.h"

typedef struct
{
  char *root;
  PhoneConfigDirs *dirs;
  PhoneConfigStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *user = NULL;
  g_autofree char *system = NULL;
  g_autofree char *state = NULL;
  g_autofree char *credentials = NULL;

  f->root = g_dir_make_tmp ("phoned-config-XXXXXX", NULL);
  user = g_build_filename (f->root, "user", NULL);
  system = g_build_filename (f->root, "etc", NULL);
  state = g_build_filename (f->root, "state", NULL);
  credentials = g_build_filename (f->root, "cred", NULL);
  f->dirs = phone_config_dirs_new_for (user, system, state, credentials);
  f->store = phone_config_store_new (f->dirs);
}

static void
remove_tree (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_autoptr (GDir) dir = NULL;
      g_chmod (path, 0700);
      dir = g_dir_open (path, 0, NULL);
      for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);
          remove_tree (child);
        }
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  remove_tree (f->root);
  phone_config_store_free (f->store);
  phone_config_dirs_free (f->dirs);
  g_free (f->root);
}

static char *
path_of (Fixture *f, const char *name)
{
  return g_build_filename (f->root, name, NULL);
}

static void
put (Fixture *f, const char *name, const char *content)
{
  g_autofree char *path = path_of (f, name);
  g_autofree char *dir = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
}

static void
put_mode (Fixture *f, const char *name, const char *content, guint mode)
{
  g_autofree char *path = path_of (f, name);
  put (f, name, content);
  g_assert_cmpint (g_chmod (path, (int) mode), ==, 0);
}

static char *
get (Fixture *f, const char *name)
{
  g_autofree char *path = path_of (f, name);
  char *content = NULL;
  (void) g_file_get_contents (path, &content, NULL, NULL);
  return content;
}

static void
assert_mode (Fixture *f, const char *name, guint mode)
{
  g_autofree char *path = path_of (f, name);
  struct stat st;
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, mode);
}

/* problem i is "ROOT/" followed by expected. */
static void
assert_problem (Fixture *f, const PhoneConfig *config, guint i, const char *expected)
{
  g_autofree char *whole = g_strdup_printf ("%s/%s", f->root, expected);
  g_assert_cmpuint (i, <, config->problems->len);
  g_assert_cmpstr (config->problems->pdata[i], ==, whole);
}

static const PhoneAccountSettings *
account_of (const PhoneConfig *config, guint i)
{
  g_assert_cmpuint (i, <, config->accounts->len);
  return g_ptr_array_index (config->accounts, i);
}

static void
assert_ids (const char *const *ids, const char *expected)
{
  g_autofree char *all = g_strjoinv (" ", (char **) ids);
  g_assert_cmpstr (all, ==, expected);
}

/* ---- reading ---- */

static void
test_empty (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = phone_config_load (f->dirs);
  g_autoptr (PhoneDaemonSettings) defaults = phone_daemon_settings_new ();

  g_assert_cmpuint (config->problems->len, ==, 0);
  g_assert_cmpuint (config->accounts->len, ==, 0);
  g_assert_cmpuint (config->broken->len, ==, 0);
  g_assert_true (phone_daemon_settings_equal (config->daemon, defaults));
}

static void
test_layers (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;

  put (f, "etc/phoned.conf", "[daemon]\nmax-calls=1\nlinger=11\nring-timeout=21\n[media]\nrtp-timeout=31\nopus-complexity=1\n");
  put (f, "etc/phoned.conf.d/10.conf", "[daemon]\nlinger=12\n");
  put (f, "etc/phoned.conf.d/05.conf", "[daemon]\nlinger=13\n[media]\nopus-complexity=2\n");
  put (f, "etc/phoned.conf.d/hidden.conf", "[daemon]\nmax-calls=99\n");
  put (f, "etc/phoned.conf.d/note.txt", "rubbish");
  put (f, "etc/phoned.conf.d/.x.conf", "rubbish");
  put (f, "user/phoned.conf", "[daemon]\nring-timeout=22\n[media]\nrtp-timeout=\n");
  put (f, "user/phoned.conf.d/hidden.conf", "");
  put (f, "user/phoned.conf.d/a.conf", "[media]\nopus-complexity=3\n");
  put (f, "user/phoned.conf.d/b.conf", "[media]\nopus-complexity=4\n");
  config = phone_config_load (f->dirs);

  g_assert_cmpuint (config->problems->len, ==, 0);
  g_assert_cmpuint (config->daemon->max_calls, ==, 1);
  g_assert_cmpuint (config->daemon->linger, ==, 12);
  g_assert_cmpuint (config->daemon->ring_timeout, ==, 22);
  g_assert_cmpuint (config->daemon->rtp_timeout, ==, 60);
  g_assert_cmpuint (config->daemon->opus_complexity, ==, 4);
}

static void
test_mask_by_null (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;
  g_autofree char *link = path_of (f, "user/phoned.conf.d/x.conf");

  put (f, "etc/phoned.conf.d/x.conf", "[daemon]\nmax-calls=2\n");
  put (f, "user/phoned.conf.d/y.conf", "");
  g_assert_cmpint (symlink ("/dev/null", link), ==, 0);
  config = phone_config_load (f->dirs);
  g_assert_cmpuint (config->problems->len, ==, 0);
  g_assert_cmpuint (config->daemon->max_calls, !=, 2);
}

static void
test_daemon_problems (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;

  put (f, "user/phoned.conf", "[daemon]\nmax-calls=many\nlinger=9\n\n[media]\nport=1\nports=20000-20010\n[nonsense]\nx=1\n[audio\ninput=silence\n");
  config = phone_config_load (f->dirs);

  /* Each costs that key alone. */
  g_assert_cmpuint (config->daemon->linger, ==, 9);
  g_assert_cmpuint (config->daemon->port_first, ==, 20000);
  g_assert_cmpstr (config->daemon->input, ==, "default");
  g_assert_cmpuint (config->problems->len, ==, 4);
  assert_problem (f, config, 0, "user/phoned.conf:10: [nonsense]: a section does not end with ']'");
  assert_problem (f, config, 1, "user/phoned.conf:2: [daemon] max-calls: \"many\" is not a number from 1 to 1000");
  assert_problem (f, config, 2, "user/phoned.conf:6: [media] port: there is no such key; did you mean \"ports\"?");
  assert_problem (f, config, 3, "user/phoned.conf:9: [nonsense]: there is no such section; there are [daemon], [audio], [media], [sip], [recording], [voicemail], [history], [messages]");
}

static void
test_accounts (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;
  const PhoneAccountSettings *work;

  put (f, "etc/accounts.d/work.conf", "[account]\naor=sip:alice@work.example\ntransport=tls\nexpires=600\n");
  put (f, "etc/accounts.d/work.conf.d/1.conf", "[account]\nexpires=700\n");
  put (f, "user/accounts.d/work.conf", "[account]\ndisplay-name=Alice\n");
  put (f, "user/accounts.d/work.conf.d/1.conf", "[account]\nreg-id=2\n");
  put (f, "user/accounts.d/work.conf.d/2.conf", "[account]\nreg-id=3\n");
  put (f, "user/accounts.d/home.conf", "[account]\naor=alice@home.example\nenabled=no\n");
  put (f, "user/accounts.d/ghost.conf.d/1.conf", "[account]\naor=sip:g@h\n");
  put (f, "user/accounts.d/notes.txt", "rubbish");
  config = phone_config_load (f->dirs);

  g_assert_cmpuint (config->problems->len, ==, 0);
  g_assert_cmpuint (config->accounts->len, ==, 2);
  g_assert_cmpstr (account_of (config, 0)->id, ==, "home");
  g_assert_false (account_of (config, 0)->enabled);
  work = phone_config_find_account (config, "work");
  g_assert_true (work == account_of (config, 1));
  g_assert_cmpint (work->transport, ==, PHONE_TRANSPORT_TLS);
  g_assert_cmpstr (work->display_name, ==, "Alice");
  /* The user's 1.conf hides that of /etc. */
  g_assert_cmpuint (work->expires, ==, 600);
  g_assert_cmpuint (work->reg_id, ==, 3);
  g_assert_null (phone_config_find_account (config, "ghost"));
}

static void
test_account_problems (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;
  g_autoptr (GString) big = g_string_new ("[account]\naor=sip:a@b\n");

  while (big->len <= 1024 * 1024)
    g_string_append (big, "################\n");
  put (f, "user/accounts.d/a-good.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/b-value.conf", "# x\n[account]\naor=sip:a@b\nexpires=1\nptime=30\n");
  put (f, "user/accounts.d/c-none.conf", "[account]\nexpires=60\n");
  put (f, "user/accounts.d/d-whole.conf", "[account]\naor=sip:a@b\nkeying=sdes\nsrtp=required\n");
  put (f, "user/accounts.d/e-section.conf", "[account]\naor=sip:a@b\n[media]\nports=1-2\n");
  put (f, "user/accounts.d/f-twice.conf", "[account]\naor=sip:a@b\naor=sip:c@d\n");
  put (f, "user/accounts.d/g-line.conf", "[account]\naor=sip:a@b\nrubbish\n");
  put (f, "user/accounts.d/h-big.conf", big->str);
  put (f, "user/accounts.d/i-secret.conf", "[account]\naor=sip:a@b\npassword=hunter2\n");
  put (f, "user/accounts.d/j-ice.conf", "[account]\naor=sip:a@b\nstun-server=turn:x\nice=maybe\nkeying=zrtp\n");
  put (f, "user/accounts.d/K.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/l-dropin.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/l-dropin.conf.d/z.conf", "[account]\nreg-id=x\n");
  config = phone_config_load (f->dirs);

  g_assert_cmpuint (config->accounts->len, ==, 2);
  g_assert_cmpstr (account_of (config, 0)->id, ==, "a-good");
  g_assert_cmpstr (account_of (config, 1)->id, ==, "f-twice");
  g_assert_cmpstr (account_of (config, 1)->aor, ==, "sip:c@d");
  g_assert_cmpuint (config->broken->len, ==, 10);

  assert_problem (f, config, 0,
                  "user/accounts.d/K.conf: id: \"K\" is not made of 1 to 32 lower-case letters, digits and '-' (not first)");
  assert_problem (f, config, 1, "user/accounts.d/b-value.conf:4: [account] expires: \"1\" is not a number from 60 to 86400");
  assert_problem (f, config, 2, "user/accounts.d/b-value.conf:5: [account] ptime: \"30\" is not one of 10, 20, 40, 60");
  assert_problem (f, config, 3, "user/accounts.d/c-none.conf: [account] aor: is required");
  assert_problem (f, config, 4, "user/accounts.d/d-whole.conf:4: [account] srtp: required with keying=sdes needs transport=tls, or sdes-in-clear=true");
  assert_problem (f, config, 5, "user/accounts.d/e-section.conf:4: [media] ports: the file of an account has only the section [account]");
  assert_problem (f, config, 6, "user/accounts.d/f-twice.conf:3: [account] aor: stands in line 2 too; this one counts");
  assert_problem (f, config, 7, "user/accounts.d/g-line.conf:3: [account]: neither a comment, nor [section], nor key=value");
  assert_problem (f, config, 8, "user/accounts.d/h-big.conf: the file is larger than 1 MiB");
  g_assert_nonnull (strstr (config->problems->pdata[9], "i-secret.conf:3: [account] password: "));
  assert_problem (f, config, 10, "user/accounts.d/j-ice.conf:3: [account] stun-server: \"turn:x\" is not stun:HOST[:PORT]");
  g_assert_nonnull (strstr (config->problems->pdata[11], "j-ice.conf:4: [account] ice: "));
  g_assert_nonnull (strstr (config->problems->pdata[12], "j-ice.conf:5: [account] keying: "));
  assert_problem (f, config, 13, "user/accounts.d/l-dropin.conf.d/z.conf:2: [account] reg-id: \"x\" is not a number from 1 to 1000");
  for (guint i = 0; i < config->problems->len; i++)
    g_assert_null (strstr (config->problems->pdata[i], "hunter2"));
}

static void
test_odd_files (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;
  g_autofree char *fifo = path_of (f, "user/accounts.d/fifo.conf");
  g_autofree char *dir = path_of (f, "user/accounts.d/dir.conf");
  g_autofree char *dangling = path_of (f, "user/accounts.d/dangling.conf");
  g_autofree char *linked = path_of (f, "user/accounts.d/linked.conf");
  g_autofree char *evil = path_of (f, "user/accounts.d/\n\x1b[2J.conf");

  put (f, "user/accounts.d/ok.conf", "[account]\naor=sip:a@b\n");
  put (f, "elsewhere.conf", "[account]\naor=sip:l@b\n");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (symlink ("nowhere", dangling), ==, 0);
  g_assert_cmpint (symlink ("../../elsewhere.conf", linked), ==, 0);
  g_assert_true (g_file_set_contents (evil, "", 0, NULL));
  config = phone_config_load (f->dirs);

  g_assert_cmpuint (config->accounts->len, ==, 2);
  g_assert_cmpstr (account_of (config, 0)->id, ==, "linked");
  g_assert_cmpstr (account_of (config, 1)->id, ==, "ok");
  g_assert_cmpuint (config->broken->len, ==, 4);
  for (guint i = 0; i < config->problems->len; i++)
    g_assert_null (strpbrk (config->problems->pdata[i], "\n\x1b"));
}

static void
test_unreadable (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;

  put_mode (f, "user/accounts.d/locked.conf", "[account]\naor=sip:a@b\n", 0);
  if (geteuid () == 0)
    {
      g_test_skip ("root reads everything");
      return;
    }
  config = phone_config_load (f->dirs);
  g_assert_cmpuint (config->accounts->len, ==, 0);
  g_assert_cmpuint (config->broken->len, ==, 1);
  g_assert_nonnull (strstr (config->problems->pdata[0], "locked.conf: "));
}

static void
test_environment (void)
{
  g_setenv ("XDG_CONFIG_HOME", "/c", TRUE);
  g_setenv ("XDG_STATE_HOME", "relative", TRUE);
  g_setenv ("CREDENTIALS_DIRECTORY", "/run/cred", TRUE);
  {
    g_autoptr (PhoneConfigDirs) dirs = phone_config_dirs_new ();
    g_autofree char *state = g_build_filename (g_get_home_dir (), ".local/state/phoned", NULL);
    g_assert_cmpstr (dirs->user, ==, "/c/phoned");
    g_assert_cmpstr (dirs->system, ==, "/etc/phoned");
    g_assert_cmpstr (dirs->state, ==, state);
    g_assert_cmpstr (dirs->credentials, ==, "/run/cred");
  }
  g_unsetenv ("XDG_CONFIG_HOME");
  g_setenv ("XDG_STATE_HOME", "/s", TRUE);
  g_unsetenv ("CREDENTIALS_DIRECTORY");
  {
    g_autoptr (PhoneConfigDirs) dirs = phone_config_dirs_new ();
    g_autofree char *user = g_build_filename (g_get_home_dir (), ".config/phoned", NULL);
    g_assert_cmpstr (dirs->user, ==, user);
    g_assert_cmpstr (dirs->state, ==, "/s/phoned");
    g_assert_null (dirs->credentials);
  }
}

/* ---- reload ---- */

static void
test_diff (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) before = NULL;
  g_autoptr (PhoneConfig) after = NULL;
  g_autoptr (PhoneConfigDiff) same = NULL;
  g_autoptr (PhoneConfigDiff) diff = NULL;
  g_autofree char *gone = path_of (f, "user/accounts.d/gone.conf");

  put (f, "user/accounts.d/same.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/gone.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/new-value.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/slip.conf", "[account]\naor=sip:a@b\n");
  before = phone_config_load (f->dirs);
  same = phone_config_diff (before->accounts, before);
  assert_ids ((const char *const *) same->added, "");
  assert_ids ((const char *const *) same->removed, "");
  assert_ids ((const char *const *) same->changed, "");

  put (f, "user/accounts.d/same.conf", "# only a comment\n[account]\n aor = sip:a@b\n");
  put (f, "user/accounts.d/new-value.conf", "[account]\naor=sip:a@b\nexpires=61\n");
  put (f, "user/accounts.d/slip.conf", "[account]\naro=sip:a@b\n");
  put (f, "user/accounts.d/extra.conf", "[account]\naor=sip:a@b\n");
  g_assert_cmpint (g_remove (gone), ==, 0);
  after = phone_config_load (f->dirs);
  diff = phone_config_diff (before->accounts, after);
  assert_ids ((const char *const *) diff->added, "extra");
  assert_ids ((const char *const *) diff->removed, "gone");
  assert_ids ((const char *const *) diff->changed, "new-value");
}

/* ---- writing ---- */

static PhoneAccountSettings *
make_settings (const char *id, const char *const *pairs)
{
  PhoneAccountSettings *settings = phone_account_settings_new (id, NULL);
  for (guint i = 0; pairs[i] != NULL; i += 2)
    {
      g_autoptr (GError) error = NULL;
      phone_account_settings_set (settings, pairs[i], pairs[i + 1], &error);
      g_assert_no_error (error);
    }
  return settings;
}

static void
save_and_reload (Fixture *f, const PhoneAccountSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneConfig) config = NULL;
  const PhoneAccountSettings *read;

  phone_config_store_ops.account_save (f->store, settings, &error);
  g_assert_no_error (error);
  config = phone_config_load (f->dirs);
  read = phone_config_find_account (config, settings->id);
  g_assert_nonnull (read);
  g_assert_true (phone_account_settings_equal (read, settings));
}

static void
test_save (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", "expires", "600", "transport", "auto", "display-name", "  Alice # \"A\" ; ", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autofree char *text = NULL;

  save_and_reload (f, settings);
  text = get (f, "user/accounts.d/home.conf");
  g_assert_cmpstr (text, ==, "# A phoned account, see phoned.conf(5).\n[account]\naor=sip:a@b\ndisplay-name=Alice # \"A\" ;\nexpires=600\n");
  assert_mode (f, "user/accounts.d/home.conf", 0600);
  assert_mode (f, "user/accounts.d", 0700);
}

/* Every key with a value of its own survives the file. */
static void
test_save_all (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = {
    "enabled", "no", "name", "N", "aor", "sips:a@b:5061", "display-name", "D", "auth-user", "u", "password-file", "/p", "registrar", "r:1",
    "outbound-proxy", "sip:o;transport=tls;lr", "transport", "tls", "register", "no", "expires", "61", "keep-alive", "0", "reg-id", "7",
    "tls-ca", "/ca", "tls-cert", "/cert", "tls-verify", "no", "tls-verify-callers", "yes", "codecs", "pcmu,opus", "ptime", "60", "srtp", "preferred",
    "sdes-in-clear", "yes", "keying", "sdes", "ice", "on", "stun-server", "stun:s", "turn-server", "turns:t:1",
    "turn-user", "t", "turn-password-file", "/t", "dtmf", "info", "redirects", "refuse",
    "auto-answer", "0", "intercom", "a@b,c", "intercom-privileged", "d@e", "max-calls", "3", "record", "all", "transfers", "refuse", "transfer-news", "no", "roster", "no", "focus", "yes",
    "forward", "1", "forward-busy", "sip:b@c", "forward-no-reply", "c", "forward-no-reply-timeout", "7",
    "forward-on", "*1{target}", "forward-off", "#1", "forward-busy-on", "*2{target}", "forward-busy-off", "#2", "forward-no-reply-on", "*3{target}",
    "forward-no-reply-off", "#3",
    "park", "*6{slot}", "park-method", "dtmf", "retrieve", "*7{slot}", "pickup", "*8{target}", "pickup-group", "*9",
    "did", "+1,2",
    "prefix", "#0", "default-domain", "d:1", "country", "AT", "publish", "on", "subscribers", "ask", "subscribers-allow", "+1,bob@b",
    "subscribers-block", "*@c", "winfo", "yes", "mwi", "no", "mailbox", "*98", "quality-collector", "sip:q@c:1", "quality-interval", "60", "quality-alerts", "loss=3/10, mos=3.5/3",
    "message-reports", "on", "message-receipts", "none", "answering", "yes",
    "answering-after", "9", "answering-busy", "no", "answering-away", "no", "greeting", "/g.wav", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("all", pairs);

  g_assert_cmpuint (g_strv_length ((char **) pairs), ==, 2 * g_strv_length ((char **) phone_account_settings_keys ()));
  save_and_reload (f, settings);
}

static void
test_save_keeps_comments (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", "expires", "600", "country", "de", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autofree char *text = NULL;

  put (f, "user/accounts.d/home.conf", "# my phone\n\n[account]\n# who I am\naor = sip:a@b\n; short\nexpires=300\nptime=40\n\n# end\n");
  save_and_reload (f, settings);
  text = get (f, "user/accounts.d/home.conf");
  g_assert_cmpstr (text, ==, "# my phone\n\n[account]\n# who I am\naor = sip:a@b\n; short\nexpires=600\ncountry=DE\n\n# end\n");
}

/* What stood there and did not parse does not keep the account from being saved. */
static void
test_save_over_broken (Fixture *f, gconstpointer data)
{
  static const char *const old[] = { "rubbish\n[account]\nrubbish too\n[", "[account]\naor=sip:x@y\n[media]\nports=1\n", "\xff\xfe\n", "" };
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);

  for (guint i = 0; i < G_N_ELEMENTS (old); i++)
    {
      put (f, "user/accounts.d/home.conf", old[i]);
      save_and_reload (f, settings);
    }
}

static void
test_save_over_system (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneConfig) config = NULL;
  g_autoptr (PhoneAccountSettings) settings = NULL;
  g_autofree char *text = NULL;

  put (f, "etc/accounts.d/work.conf", "[account]\naor=sip:a@b\ntransport=tcp\nexpires=600\ndisplay-name=Desk\n");
  config = phone_config_load (f->dirs);
  settings = phone_account_settings_copy (account_of (config, 0));
  g_assert_true (phone_account_settings_set (settings, "transport", "", NULL));
  g_assert_true (phone_account_settings_set (settings, "display-name", "", NULL));
  g_assert_true (phone_account_settings_set (settings, "reg-id", "2", NULL));
  save_and_reload (f, settings);
  text = get (f, "user/accounts.d/work.conf");
  g_assert_cmpstr (text, ==, "# A phoned account, see phoned.conf(5).\n[account]\ndisplay-name=\ntransport=\nreg-id=2\n");
}

static void
test_save_against_dropin (Fixture *f, gconstpointer data)
{
  const char *const other[] = { "aor", "sip:a@b", "expires", "600", NULL };
  const char *const agreeing[] = { "aor", "sip:a@b", "expires", "300", "reg-id", "2", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", other);
  g_autoptr (PhoneAccountSettings) fits = make_settings ("home", agreeing);
  g_autoptr (GError) error = NULL;
  const char *before = "[account]\naor=sip:a@b\n";
  g_autofree char *text = NULL;

  put (f, "user/accounts.d/home.conf", before);
  put (f, "user/accounts.d/home.conf.d/x.conf", "[account]\nexpires=300\n");
  g_assert_false (phone_config_store_ops.account_save (f->store, settings, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED);
  g_assert_true (g_str_has_prefix (error->message, "expires: "));
  g_assert_nonnull (strstr (error->message, "home.conf.d/x.conf"));
  text = get (f, "user/accounts.d/home.conf");
  g_assert_cmpstr (text, ==, before);
  save_and_reload (f, fits);
}

static void
test_save_fails (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autoptr (GError) error = NULL;

  put (f, "user", "a file where a directory should be");
  g_assert_false (phone_config_store_ops.account_save (f->store, settings, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

static void
test_delete (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneConfig) config = NULL;
  g_autofree char *dropins = path_of (f, "user/accounts.d/home.conf.d");
  g_autofree char *secret = path_of (f, "state/secrets/home");

  put (f, "etc/accounts.d/work.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/work.conf", "[account]\nexpires=60\n");
  put (f, "user/accounts.d/home.conf", "[account]\naor=sip:a@b\n");
  put (f, "user/accounts.d/home.conf.d/x.conf", "[account]\nexpires=300\n");
  put_mode (f, "state/secrets/home", "pw", 0600);

  g_assert_true (phone_config_store_ops.account_delete (f->store, "home", &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (dropins, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (secret, G_FILE_TEST_EXISTS));

  g_assert_false (phone_config_store_ops.account_delete (f->store, "home", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT);
  g_clear_error (&error);
  g_assert_false (phone_config_store_ops.account_delete (f->store, "work", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED);
  g_assert_nonnull (strstr (error->message, "etc/accounts.d/work.conf"));
  g_clear_error (&error);
  g_assert_false (phone_config_store_ops.account_delete (f->store, "../work", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);

  config = phone_config_load (f->dirs);
  g_assert_cmpuint (config->accounts->len, ==, 1);
  g_assert_cmpuint (account_of (config, 0)->expires, ==, 60);
}

/* ---- passwords ---- */

static void
assert_secret (Fixture *f, const PhoneAccountSettings *settings, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneSecret) secret = phone_config_store_ops.secret_load (f->store, settings, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (secret != NULL ? phone_secret_peek (secret) : NULL, ==, expected);
}

static void
assert_no_secret (Fixture *f, const PhoneAccountSettings *settings, const char *offence)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (phone_config_store_ops.secret_load (f->store, settings, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, offence));
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
test_secret_order (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autofree char *file = path_of (f, "pw");
  g_autofree char *credential = path_of (f, "cred/phoned-home");

  assert_secret (f, settings, NULL);
  put_mode (f, "state/secrets/home", "from-state\n", 0600);
  assert_secret (f, settings, "from-state");
  put_mode (f, "pw", "from-file\n", 0400);
  g_assert_true (phone_account_settings_set (settings, "password-file", file, NULL));
  assert_secret (f, settings, "from-file");
  /* systemd decides about the mode of credentials. */
  put_mode (f, "cred/phoned-home", "from-credential", 0440);
  put_mode (f, "cred/phoned-other", "x", 0400);
  assert_secret (f, settings, "from-credential");
  g_assert_cmpint (g_remove (credential), ==, 0);
  assert_secret (f, settings, "from-file");
  g_assert_cmpint (g_remove (file), ==, 0);
  assert_no_secret (f, settings, "does not exist");
}

static void
test_secret_file_checks (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autofree char *file = path_of (f, "pw");
  g_autofree char *link = path_of (f, "link");
  g_autofree char *fifo = path_of (f, "fifo");
  g_autofree char *large = g_strnfill (5000, 'x');

  g_assert_true (phone_account_settings_set (settings, "password-file", file, NULL));
  put_mode (f, "pw", "hunter2\n", 0640);
  assert_no_secret (f, settings, "0640");
  put_mode (f, "pw", "hunter2\n", 0604);
  assert_no_secret (f, settings, "0604");
  put_mode (f, "pw", "", 0600);
  assert_no_secret (f, settings, "empty");
  put_mode (f, "pw", large, 0600);
  assert_no_secret (f, settings, "4096");
  put_mode (f, "pw", "hunter2\n", 0600);
  assert_secret (f, settings, "hunter2");

  g_assert_cmpint (symlink (file, link), ==, 0);
  g_assert_true (phone_account_settings_set (settings, "password-file", link, NULL));
  assert_no_secret (f, settings, "symbolic link");
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_true (phone_account_settings_set (settings, "password-file", fifo, NULL));
  assert_no_secret (f, settings, "regular");
  g_assert_true (phone_account_settings_set (settings, "password-file", f->root, NULL));
  assert_no_secret (f, settings, "regular");

  g_assert_true (phone_account_settings_set (settings, "password-file", NULL, NULL));
  put_mode (f, "state/secrets/home", "hunter2", 0644);
  assert_no_secret (f, settings, "0644");
}

static void
test_secret_owner (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autofree char *file = path_of (f, "pw");

  put_mode (f, "pw", "hunter2\n", 0600);
  if (chown (file, 12345, (gid_t) -1) != 0)
    {
      g_test_skip ("needs root to give a file away");
      return;
    }
  g_assert_true (phone_account_settings_set (settings, "password-file", file, NULL));
  assert_no_secret (f, settings, "12345");
}

static gboolean
save_secret (Fixture *f, const char *id, const char *text, GError **error)
{
  g_autoptr (PhoneSecret) secret = phone_secret_new (text, -1);
  return phone_config_store_ops.secret_save (f->store, id, secret, error);
}

static void
test_secret_save (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs);
  g_autoptr (GError) error = NULL;
  g_autofree char *secrets = path_of (f, "state/secrets");

  g_assert_true (save_secret (f, "home", "one", &error));
  assert_secret (f, settings, "one");
  assert_mode (f, "state/secrets", 0700);
  assert_mode (f, "state/secrets/home", 0600);
  /* A folder that is too open is closed. */
  g_assert_cmpint (g_chmod (secrets, 0755), ==, 0);
  g_assert_true (save_secret (f, "home", " two words ", &error));
  assert_secret (f, settings, " two words ");
  assert_mode (f, "state/secrets", 0700);

  g_assert_false (save_secret (f, "home", "pw\n", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  g_assert_false (save_secret (f, "../home", "pw", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);

  g_assert_true (save_secret (f, "home", "", &error));
  assert_secret (f, settings, NULL);
}

/* That of the TURN server is another one, beside it; what the settings name goes before it, and it goes with the account. */
static void
test_turn_secret (Fixture *f, gconstpointer data)
{
  const char *const pairs[] = { "aor", "sip:a@b", NULL }, *const named[] = { "aor", "sip:a@b", "turn-password-file", "/nowhere", NULL };
  g_autoptr (PhoneAccountSettings) settings = make_settings ("home", pairs), other = make_settings ("home", named);
  g_autoptr (PhoneSecret) secret = phone_secret_new ("relay", -1), loaded = NULL, none = NULL;
  g_autoptr (GError) error = NULL;
  const PhoneStoreOps *ops = &phone_config_store_ops;

  g_assert_true (ops->account_save (f->store, settings, &error));
  g_assert_true (ops->turn_secret_save (f->store, "home", secret, &error));
  assert_mode (f, "state/secrets/home.turn", 0600);
  assert_secret (f, settings, NULL);
  loaded = ops->turn_secret_load (f->store, settings, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (phone_secret_peek (loaded), ==, "relay");
  g_assert_null (ops->turn_secret_load (f->store, other, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_clear_error (&error);
  g_assert_true (ops->account_save (f->store, other, &error));
  g_assert_false (ops->turn_secret_save (f->store, "home", secret, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED);
  g_clear_error (&error);
  g_assert_true (ops->account_delete (f->store, "home", &error));
  none = ops->turn_secret_load (f->store, settings, &error);
  g_assert_no_error (error);
  g_assert_null (none);
}

/* A password that something else would hide after the next start is refused now. */
static void
test_secret_save_hidden (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (f, "user/accounts.d/home.conf", "[account]\naor=sip:a@b\npassword-file=/some/where\n");
  g_assert_false (save_secret (f, "home", "pw", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED);
  g_assert_nonnull (strstr (error->message, "/some/where"));
  g_clear_error (&error);

  put (f, "cred/phoned-work", "x");
  g_assert_false (save_secret (f, "work", "pw", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED);
  g_assert_nonnull (strstr (error->message, "cred/phoned-work"));
}

static void
test_secret_save_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *state = path_of (f, "state");
  g_autofree char *secrets = path_of (f, "state/secrets");
  g_autofree char *other = path_of (f, "other");

  g_assert_cmpint (g_mkdir (state, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (other, 0700), ==, 0);
  g_assert_cmpint (symlink (other, secrets), ==, 0);
  g_assert_false (save_secret (f, "home", "pw", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

static void
test_choices (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = path_of (f, "state/choices.conf");
  g_autofree char *none = phone_config_store_ops.choice_load (f->store, "input");
  g_autofree char *input = NULL, *gone = NULL, *odd = NULL, *broken = NULL;

  g_assert_null (none);
  g_assert_true (phone_config_store_ops.choice_save (f->store, "input", "pulse:one", &error));
  g_assert_true (phone_config_store_ops.choice_save (f->store, "ring", " file:/a b;c\n", &error));
  input = phone_config_store_ops.choice_load (f->store, "input");
  odd = phone_config_store_ops.choice_load (f->store, "ring");
  g_assert_cmpstr (input, ==, "pulse:one");
  g_assert_cmpstr (odd, ==, " file:/a b;c\n");
  g_assert_true (phone_config_store_ops.choice_save (f->store, "input", NULL, &error));
  gone = phone_config_store_ops.choice_load (f->store, "input");
  g_assert_null (gone);
  /* A broken file costs the choices, and the next one mends it. */
  g_assert_true (g_file_set_contents (file, "\xff[not a key file", -1, NULL));
  broken = phone_config_store_ops.choice_load (f->store, "ring");
  g_assert_null (broken);
  g_assert_true (phone_config_store_ops.choice_save (f->store, "input", "silence", &error));
  g_assert_no_error (error);
}

/* ---- contacts ---- */

#define PERSON(name) "BEGIN:VCARD\nFN:" name "\nTEL:1\nEND:VCARD\n"

static void
test_contacts (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (PhoneContacts) empty = phone_config_load_contacts (f->dirs, problems), contacts = NULL;
  g_autofree char *problem = path_of (f, "user/contacts.d/b.vcf: line 5: the vCard that begins here has no end");

  g_assert_cmpuint (phone_contacts_count (empty), ==, 0);
  put (f, "etc/contacts.d/office.vcf", PERSON ("Reception"));
  put (f, "user/contacts.d/a.vcf", PERSON ("A") PERSON ("B"));
  put (f, "user/contacts.d/b.vcf", PERSON ("C") "BEGIN:VCARD\nFN:D\n");
  put (f, "user/contacts.d/c.vcf", "");
  put (f, "user/contacts.d/d.txt", PERSON ("E"));
  contacts = phone_config_load_contacts (f->dirs, problems);
  g_assert_cmpuint (phone_contacts_count (contacts), ==, 4);
  g_assert_true (phone_contacts_knows (contacts, "contact:reception") && phone_contacts_knows (contacts, "contact:c"));
  g_assert_cmpuint (problems->len, ==, 1);
  g_assert_cmpstr (problems->pdata[0], ==, problem);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/config/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("empty", test_empty);
  ADD ("layers", test_layers);
  ADD ("mask-by-null", test_mask_by_null);
  ADD ("daemon-problems", test_daemon_problems);
  ADD ("accounts", test_accounts);
  ADD ("account-problems", test_account_problems);
  ADD ("odd-files", test_odd_files);
  ADD ("unreadable", test_unreadable);
  ADD ("diff", test_diff);
  ADD ("save", test_save);
  ADD ("save-all", test_save_all);
  ADD ("save-keeps-comments", test_save_keeps_comments);
  ADD ("save-over-broken", test_save_over_broken);
  ADD ("save-over-system", test_save_over_system);
  ADD ("save-against-dropin", test_save_against_dropin);
  ADD ("save-fails", test_save_fails);
  ADD ("delete", test_delete);
  ADD ("secret-order", test_secret_order);
  ADD ("secret-file-checks", test_secret_file_checks);
  ADD ("secret-owner", test_secret_owner);
  ADD ("secret-save", test_secret_save);
  ADD ("turn-secret", test_turn_secret);
  ADD ("secret-save-hidden", test_secret_save_hidden);
  ADD ("secret-save-fails", test_secret_save_fails);
  ADD ("choices", test_choices);
  ADD ("contacts", test_contacts);
  g_test_add_func ("/config/environment", test_environment);
  return g_test_run ();
}
