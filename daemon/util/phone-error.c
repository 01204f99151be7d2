/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/phone-error.h"

G_DEFINE_QUARK (phone-error-quark, phone_error)
