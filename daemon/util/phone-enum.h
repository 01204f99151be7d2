/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Enums travel as strings on D-Bus, in files and in logs. One X-macro list per enum generates the type, its
 * number of values and both directions of the conversion, so the three cannot disagree.
 *
 *   #define PHONE_COLOUR_LIST(X) X (PHONE_COLOUR_RED, "red") X (PHONE_COLOUR_BLUE, "blue")
 *   PHONE_DECLARE_ENUM (PhoneColour, phone_colour, PHONE_COLOUR_LIST)      in the header
 *   PHONE_DEFINE_ENUM (PhoneColour, phone_colour, PHONE_COLOUR_LIST)       in one source file
 */

#include <glib.h>

#define PHONE_ENUM_MEMBER_(id, text) id,
#define PHONE_ENUM_COUNT_(id, text) +1
#define PHONE_ENUM_TO_(id, text) case id: return text;
#define PHONE_ENUM_FROM_(id, text) if (g_str_equal (string, text)) { *ret_value = id; return TRUE; }

#define PHONE_DECLARE_ENUM(Type, prefix, LIST) \
  typedef enum { LIST (PHONE_ENUM_MEMBER_) } Type; \
  enum { prefix##_n_values = 0 LIST (PHONE_ENUM_COUNT_) }; \
  /* Static string; never NULL. An invalid value is a programming error and aborts. */ \
  const char *prefix##_to_string (Type value); \
  /* FALSE, with *ret_value untouched, when the string names no member. Case matters. */ \
  gboolean prefix##_from_string (const char *string, Type *ret_value);

#define PHONE_DEFINE_ENUM(Type, prefix, LIST) \
  const char *prefix##_to_string (Type value) \
  { \
    switch (value) { LIST (PHONE_ENUM_TO_) } \
    g_assert_not_reached (); \
  } \
  gboolean prefix##_from_string (const char *string, Type *ret_value) \
  { \
    g_return_val_if_fail (string != NULL, FALSE); \
    LIST (PHONE_ENUM_FROM_) \
    return FALSE; \
  }
