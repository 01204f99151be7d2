/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound-server.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE (30 * G_USEC_PER_SEC)

struct _SoundServer
{
  GPtrArray *processes;         /* GSubprocess */
};

static char *folder;

void
sound_server_isolate (void)
{
  folder = g_dir_make_tmp ("phoned-sound-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  g_setenv ("HOME", folder, TRUE);
  g_unsetenv ("PULSE_SERVER");
  g_unsetenv ("PULSE_RUNTIME_PATH");
  g_unsetenv ("PIPEWIRE_REMOTE");
  g_unsetenv ("PIPEWIRE_RUNTIME_DIR");
  g_unsetenv ("DBUS_SESSION_BUS_ADDRESS");
  g_unsetenv ("DISPLAY");
}

static void
remove_tree (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);
          remove_tree (child);
        }
    }
  g_remove (path);
}

void
sound_server_isolate_over (void)
{
  remove_tree (folder);
  g_clear_pointer (&folder, g_free);
}

static gboolean
answers (const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean good;

  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
  good = connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
  close (fd);
  return good;
}

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean
start (SoundServer *server, const char *command, const char *socket_name)
{
  g_auto (GStrv) words = g_strsplit (command, " ", -1);
  g_autofree char *program = g_find_program_in_path (words[0]);
  gint64 until = g_get_monotonic_time () + PATIENCE;
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  GSubprocess *process;

  if (program == NULL)
    return FALSE;
  for (guint i = 0; words[i] != NULL; i++)
    g_strdelimit (words[i], "\t", ' ');
  /* A test that aborts takes its server with it. */
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) words, NULL);
  g_assert_nonnull (process);
  g_ptr_array_add (server->processes, process);
  while (socket_name != NULL && !answers (socket_name))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (5000);
    }
  return TRUE;
}

static gboolean
has (const char *list, const char *what)
{
  g_autofree char *text = sound_server_pactl (list);

  return strstr (text, what) != NULL;
}

static void
write_config (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, ".config/wireplumber", name, NULL),
                  *parent = g_path_get_dirname (path);

  g_mkdir_with_parents (parent, 0700);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

SoundServer *
sound_server_start (SoundServerKind kind)
{
  SoundServer *server = g_new0 (SoundServer, 1);
  gint64 until = g_get_monotonic_time () + PATIENCE;
  gboolean good;

  server->processes = g_ptr_array_new_with_free_func (g_object_unref);
  if (kind == SOUND_SERVER_PULSE)
    good = start (server,
                  "pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes"
                  " --realtime=no --high-priority=no -L module-native-protocol-unix\tauth-anonymous=1"
                  " -L module-null-sink\tsink_name=out -L module-null-sink\tsink_name=other",
                  "pulse/native");
  else
    {
      /* The session manager links streams and knows the default. Without its parts for hardware it needs no
       * bus and no inotify. */
      write_config ("main.lua.d/90-enable-all.lua",
                    "load_module (\"metadata\")\ndevice_defaults.enable ()\nstream_defaults.enable ()\n");
      write_config ("bluetooth.lua.d/90-enable-all.lua", "\n");
      good = start (server, "pipewire", "pipewire-0") && start (server, "wireplumber", NULL)
             && start (server, "pipewire-pulse", "pulse/native");
    }
  if (!good)
    {
      sound_server_stop (server);
      return NULL;
    }
  if (kind == SOUND_SERVER_PIPEWIRE)
    {
      /* The session manager is there when a default is. */
      while (has ("info", "Default Sink: @DEFAULT_SINK@"))
        {
          g_assert_cmpint (g_get_monotonic_time (), <, until);
          g_usleep (20000);
        }
      g_free (sound_server_pactl ("load-module module-null-sink sink_name=out"));
      g_free (sound_server_pactl ("load-module module-null-sink sink_name=other"));
    }
  while (!has ("list short sinks", "other") || !has ("list short sources", "out.monitor"))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (20000);
    }
  g_free (sound_server_pactl ("set-default-sink out"));
  return server;
}

void
sound_server_stop (SoundServer *server)
{
  if (server == NULL)
    return;
  for (guint i = server->processes->len; i-- > 0;)
    {
      GSubprocess *process = g_ptr_array_index (server->processes, i);

      g_subprocess_send_signal (process, SIGTERM);
      g_subprocess_wait (process, NULL, NULL);
    }
  g_ptr_array_unref (server->processes);
  g_free (server);
}

char *
sound_server_pactl (const char *words)
{
  g_autofree char *command = g_strconcat ("pactl ", words, NULL);
  g_autoptr (GError) error = NULL;
  char *out = NULL;
  int status;

  g_spawn_command_line_sync (command, &out, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s failed", command);
  return out;
}
