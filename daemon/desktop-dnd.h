/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The do-not-disturb switch of the desktop: GNOME's setting org.gnome.desktop.notifications show-banners, and the property Inhibited of
 * org.freedesktop.Notifications (KDE). Only looked at while it is to be followed. */

#include <glib.h>

typedef struct _DesktopDnd DesktopDnd;

/* changed() is called with what the desktop says, at first as soon as it is known. */
DesktopDnd *desktop_dnd_new (void (*changed) (gboolean active, gpointer data), gpointer data);
void desktop_dnd_free (DesktopDnd *self);       /* accepts NULL */
