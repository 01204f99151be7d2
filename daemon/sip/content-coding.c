/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/content-coding.h"

#include <gio/gio.h>

/* A few octets can stand for very many: the room for them is made before, and no more. */
static guint
inflate (GZlibCompressorFormat format, const char *data, gsize length, gsize max, char **ret_data, gsize *ret_length)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_decompressor_new (format));
  g_autofree char *out = g_malloc (max + 1);
  gsize done = 0;

  for (;;)
    {
      gsize read, written;
      GConverterResult result = g_converter_convert (converter, data, length, out + done, max + 1 - done, G_CONVERTER_INPUT_AT_END, &read,
                                                     &written, NULL);

      if (result == G_CONVERTER_ERROR || (result == G_CONVERTER_CONVERTED && !read && !written))
        return 400;
      data += read;
      length -= read;
      done += written;
      if (done > max)
        return 413;
      if (result == G_CONVERTER_FINISHED)
        break;
    }
  *ret_data = g_steal_pointer (&out);
  *ret_length = done;
  return 0;
}

guint
ua_content_decode (const char *coding, const char *data, gsize length, gsize max, char **ret_data, gsize *ret_length)
{
  guint status;

  if (g_ascii_strcasecmp (coding, "gzip") == 0)
    return inflate (G_ZLIB_COMPRESSOR_FORMAT_GZIP, data, length, max, ret_data, ret_length);
  if (g_ascii_strcasecmp (coding, "deflate") != 0)
    return 415;
  /* RFC 9110 section 8.4.1.2: with the frame of zlib, and some leave that out. */
  status = inflate (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, data, length, max, ret_data, ret_length);
  return status == 400 ? inflate (G_ZLIB_COMPRESSOR_FORMAT_RAW, data, length, max, ret_data, ret_length) : status;
}
