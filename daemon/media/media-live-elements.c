/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-live-elements.h"

#include <gst/audio/audio.h>
#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>
#include <math.h>
#include <string.h>

#define CAPS \
  "audio/x-raw, format=(string)" GST_AUDIO_NE (S16) ", layout=(string)interleaved, " \
  "rate=(int)48000, channels=(int)1"

G_STATIC_ASSERT (MEDIA_RATE == 48000);

static GstStaticPadTemplate source_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

/* ---- source ---- */

typedef struct
{
  GstPushSrc parent;
  MediaLiveDemand demand;
  gpointer data;
  GDestroyNotify destroy;
  guint64 frames;
} MediaLiveSource;
typedef struct { GstPushSrcClass parent; } MediaLiveSourceClass;

G_GNUC_INTERNAL GType media_live_source_get_type (void);
G_DEFINE_TYPE (MediaLiveSource, media_live_source, GST_TYPE_PUSH_SRC)

static GstFlowReturn
source_create (GstPushSrc *push, GstBuffer **ret_buffer)
{
  MediaLiveSource *source = (MediaLiveSource *) push;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, MEDIA_FRAME * sizeof (gint16), NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  source->demand (source->data, (gint16 *) (void *) map.data);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = source->frames * MEDIA_FRAME_MS * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = MEDIA_FRAME_MS * GST_MSECOND;
  GST_BUFFER_OFFSET (buffer) = source->frames * MEDIA_FRAME;
  source->frames++;
  *ret_buffer = buffer;
  return GST_FLOW_OK;
}

static gboolean
source_start (GstBaseSrc *base)
{
  ((MediaLiveSource *) base)->frames = 0;
  return TRUE;
}

static void
source_finalize (GObject *object)
{
  MediaLiveSource *source = (MediaLiveSource *) object;

  source->destroy (source->data);
  G_OBJECT_CLASS (media_live_source_parent_class)->finalize (object);
}

static void
media_live_source_class_init (MediaLiveSourceClass *class)
{
  GST_PUSH_SRC_CLASS (class)->create = source_create;
  GST_BASE_SRC_CLASS (class)->start = source_start;
  G_OBJECT_CLASS (class)->finalize = source_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (class), &source_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "phoned loudspeaker", "Source/Audio",
                                         "Asks the audio hub for frames", "phoned");
}

static void
media_live_source_init (MediaLiveSource *source)
{
  gst_base_src_set_format (GST_BASE_SRC (source), GST_FORMAT_TIME);
}

GstElement *
media_live_source_new (MediaLiveDemand demand, gpointer data, GDestroyNotify destroy)
{
  MediaLiveSource *source = g_object_new (media_live_source_get_type (), NULL);

  source->demand = demand;
  source->data = data;
  source->destroy = destroy;
  return GST_ELEMENT (source);
}

/* ---- sink ---- */

typedef struct
{
  GstBaseSink parent;
  MediaLiveCaptured captured;
  gpointer data;
  GDestroyNotify destroy;
} MediaLiveSink;
typedef struct { GstBaseSinkClass parent; } MediaLiveSinkClass;

G_GNUC_INTERNAL GType media_live_sink_get_type (void);
G_DEFINE_TYPE (MediaLiveSink, media_live_sink, GST_TYPE_BASE_SINK)

static GstFlowReturn
sink_render (GstBaseSink *base, GstBuffer *buffer)
{
  MediaLiveSink *sink = (MediaLiveSink *) base;
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (base));
  GstClockTime pts = gst_segment_to_running_time (&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  double age = NAN;
  GstMapInfo map;

  if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (pts))
    age = GST_CLOCK_DIFF (pts, now) / 1e6;
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return GST_FLOW_OK;
  sink->captured (sink->data, (const gint16 *) (void *) map.data, map.size / sizeof (gint16), age);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

static void
sink_finalize (GObject *object)
{
  MediaLiveSink *sink = (MediaLiveSink *) object;

  sink->destroy (sink->data);
  G_OBJECT_CLASS (media_live_sink_parent_class)->finalize (object);
}

static void
media_live_sink_class_init (MediaLiveSinkClass *class)
{
  GST_BASE_SINK_CLASS (class)->render = sink_render;
  G_OBJECT_CLASS (class)->finalize = sink_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (class), &sink_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "phoned microphone", "Sink/Audio",
                                         "Hands samples to the audio hub", "phoned");
}

static void
media_live_sink_init (MediaLiveSink *sink)
{
  gst_base_sink_set_sync (GST_BASE_SINK (sink), FALSE);
  gst_base_sink_set_async_enabled (GST_BASE_SINK (sink), FALSE);
}

GstElement *
media_live_sink_new (MediaLiveCaptured captured, gpointer data, GDestroyNotify destroy)
{
  MediaLiveSink *sink = g_object_new (media_live_sink_get_type (), NULL);

  sink->captured = captured;
  sink->data = data;
  sink->destroy = destroy;
  return GST_ELEMENT (sink);
}
