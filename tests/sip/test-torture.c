/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages in the manner of RFC 4475 over UDP, and worse: the phone answers what can be answered, and lives. After each one it must
 * still answer an OPTIONS, ring for a good INVITE at the end, and have created nothing in between. */

#include "bed.h"

#include <string.h>

typedef struct
{
  const char *name;
  guint status;                 /* that must come; 0: any or none */
  const char *method;           /* to which */
  const char *text;             /* lines end in \n here, in CRLF on the wire */
} Torture;

#define VIA "Via: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-"
#define US "sip:alice@" PHONE

static const Torture messages[] = {
  { "wsinv", 0, NULL,
    "INVITE sip:alice@" PHONE ";unknownparam SIP/2.0\n"
    "TO :\n sip:alice@" PHONE " ;   tag    = 1918181833n\n"
    "from   : \"J Rosenberg \\\\\\\"\"       <sip:bob@" PEER ">\n  ;\n  tag = 98asjd8\n"
    "MaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@" PEER "\nContent-Length   : 150\ncseq: 0009\n  INVITE\n"
    "Via  : SIP  /   2.0\n /UDP\n    " PEER ";branch=390skdjuw\ns :\nNewFangledHeader:   newfangled value\n continued newfangled value\n"
    "UnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\n"
    "Route:\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\n"
    "v:  SIP  / 2.0  / TCP     192.0.2.2   ;\n  branch  =   z9hG4bK9ikj8  ,\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n"
    "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n"
    "v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.3\ns=-\nc=IN IP4 192.0.2.4\nt=0 0\nm=audio 49217 RTP/AVP 0 12\na=rtpmap:31 LPC\n" },
  { "intmeth", 405, NULL,
    "!interesting-Method0123456789_*+`.%indeed'~ " US " SIP/2.0\n" VIA "intmeth\n"
    "To: \"BEL:\\\007 NUL:\\ DEL:\\\177\" <" US ">\nFrom: token1~` token2'+_ token3*%!.- <sip:bob@" PEER ">;tag=a\n"
    "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\n"
    "Max-Forwards: 255\nContent-Length: 0\n\n" },
  { "esc01", 404, "INVITE",
    "INVITE sip:sips%3Auser%40example.com@" PHONE " SIP/2.0\n" VIA "esc01\nTo: sip:%75se%72@example.com\nFrom: <sip:I%20have%20spaces@example.net>;tag=938\n"
    "Max-Forwards: 87\nCall-ID: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\nContact: <sip:cal%6Cer@" PEER ";%6C%72;n%61me=v%61lue%25%34%31>\n"
    "Content-Length: 0\n\n" },
  { "escnull", 0, NULL,
    "OPTIONS sip:null-%00-null@" PHONE " SIP/2.0\n" VIA "escnull\nTo: sip:null-%00-null@" PHONE "\nFrom: sip:null-%00-null@example.com;tag=839923423\n"
    "Max-Forwards: 70\nCall-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\nCSeq: 14398234 OPTIONS\nContent-Length: 0\n\n" },
  { "lwsdisp", 200, "OPTIONS",
    "OPTIONS " US " SIP/2.0\nTo: " US "\nFrom: caller<sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID: lwsdisp.1234abcd@funky\n"
    "CSeq: 60 OPTIONS\n" VIA "lwsdisp\nl: 0\n\n" },
  { "semiuri", 404, "OPTIONS",
    "OPTIONS sip:user;par=u%40example.net@" PHONE " SIP/2.0\nTo: sip:j_user@example.com\nFrom: sip:caller@example.org;tag=33242\n"
    "Max-Forwards: 3\nCall-ID: semiuri.0ha0isndaksdj\nCSeq: 8 OPTIONS\nAccept: application/sdp, application/pkcs7-mime, multipart/mixed\n" VIA "semiuri\nl: 0\n\n" },
  { "transports", 200, "OPTIONS",
    "OPTIONS " US " SIP/2.0\nTo: " US "\nFrom: <sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID: transports.kijh4akdnaqjkwendsasfdj\n"
    "Accept: application/sdp\nCSeq: 60 OPTIONS\n" VIA "transports\nVia: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\n"
    "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\nVia: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\nl: 0\n\n" },
  { "badinv01", 0, NULL,
    "INVITE " US " SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=134161461246\nMax-Forwards: 7\n"
    "Call-ID: badinv01.0ha0isndaksdjasdf3234nas\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP " PEER ";;,;,,\nContact: \"Joe\" <sip:joe@example.org>;;;;\nContent-Length: 0\n\n" },
  { "clerr", 0, NULL,
    "INVITE " US " SIP/2.0\nMax-Forwards: 80\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=93942939o2\nContact: <sip:caller@hungry.example.net>\n"
    "Call-ID: clerr.0ha0isndaksdjweiafasdk3\nCSeq: 8 INVITE\n" VIA "clerr\nContent-Type: application/sdp\nContent-Length: 9999\n\nv=0\n" },
  { "ncl", 0, NULL,
    "INVITE " US " SIP/2.0\nMax-Forwards: 254\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=32394234\nCall-ID: ncl.0ha0isndaksdj2193423r542w35\n"
    "CSeq: 0 INVITE\n" VIA "ncl\nContact: <sip:caller@example53.example.net>\nContent-Type: application/sdp\nContent-Length: -999\n\nv=0\n" },
  { "scalar02", 0, NULL,
    "REGISTER sip:" PHONE " SIP/2.0\n" VIA "scalar02\nTo: <sip:user@example.com>\nFrom: <sip:user@example.com>;tag=239232jh3\n"
    "CSeq: 36893488147419103232 REGISTER\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\nMax-Forwards: 300\nExpires: 10000000000000000000000000000000\n"
    "Contact: <sip:user@host129.example.com>;expires=280297596632815\nContent-Length: 0\n\n" },
  { "quotbal", 0, NULL,
    "INVITE " US " SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.com>\nFrom: sip:caller@example.net;tag=93334\nMax-Forwards: 10\n"
    "Call-ID: quotbal.aksdj\nContact: <sip:caller@host59.example.net>\nCSeq: 8 INVITE\n" VIA "quotbal\nContent-Length: 0\n\n" },
  { "ltgtruri", 0, NULL,
    "INVITE <" US "> SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=39291\nMax-Forwards: 23\nCall-ID: ltgtruri.1@" PEER "\n"
    "CSeq: 1 INVITE\n" VIA "ltgtruri\nContact: <sip:caller@host5.example.net>\nContent-Length: 0\n\n" },
  { "lwsruri", 0, NULL,
    "INVITE " US "; lr SIP/2.0\nTo: sip:user@example.com;tag=3xfe-9921883-z9f\nFrom: sip:caller@example.net;tag=231413434\nMax-Forwards: 5\n"
    "Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423\nCSeq: 2130706432 INVITE\n" VIA "lwsruri\nContact: <sip:caller@host1.example.net>\nContent-Length: 0\n\n" },
  { "lwsstart", 0, NULL,
    "INVITE  sip:nobody@" PHONE "  SIP/2.0\nMax-Forwards: 8\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=8814\nCall-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com\n"
    "CSeq: 1893884 INVITE\n" VIA "lwsstart\nContact: <sip:caller@host1.example.net>\nContent-Length: 0\n\n" },
  { "baddate", 0, NULL,
    "OPTIONS " US " SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=2234923\nMax-Forwards: 70\nCall-ID: baddate.239423mnsadf3j23lj42--sedfnm234\n"
    "CSeq: 1392934 OPTIONS\n" VIA "baddate\nDate: Fri, 01 Jan 2010 16:00:00 EST\nContent-Length: 0\n\n" },
  { "badaspec", 0, NULL,
    "OPTIONS " US " SIP/2.0\n" VIA "badaspec\nMax-Forwards: 70\nTo: \"Watson, Thomas\" < sip:t.watson@example.org >\nFrom: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=43\n"
    "Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\nCSeq: 3923239 OPTIONS\nContent-Length: 0\n\n" },
  { "badvers", 505, "OPTIONS",
    "OPTIONS " US " SIP/7.0\nVia: SIP/7.0/UDP " PEER ":5060;branch=z9hG4bKkdjuw\nMax-Forwards: 70\nFrom: A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\n"
    "To: T. Watson <sip:t.watson@example.org>\nCall-ID: badvers.31417@c.example.com\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n" },
  { "mismatch01", 0, NULL,
    "OPTIONS " US " SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch01.dj0234sxdfl3\n"
    "CSeq: 8 INVITE\n" VIA "mismatch01\nl: 0\n\n" },
  { "mismatch02", 0, NULL,
    "NEWMETHOD " US " SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch02.dj0234sxdfl3\n"
    "CSeq: 8 INVITE\n" VIA "mismatch02\nl: 0\n\n" },
  { "bigcode", 0, NULL,
    "SIP/2.0 4294967301 better not break the receiver\nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\nCall-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i\n"
    "CSeq: 353494 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\n\n" },
  { "badbranch", 0, NULL,
    "OPTIONS " US " SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nVia: SIP/2.0/UDP " PEER ";branch=z9hG4bK\n"
    "Accept: application/sdp\nCall-ID: badbranch.sadonfo23i420jv0as0derf3j3n\nCSeq: 8 OPTIONS\nl: 0\n\n" },
  { "insuf", 0, NULL, "INVITE " US " SIP/2.0\nCSeq: 193942 INVITE\n" VIA "insuf\nContent-Type: application/sdp\nl: 0\n\n" },
  { "unkscm", 416, "OPTIONS",
    "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=384\nMax-Forwards: 3\n"
    "Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34\nCSeq: 3923423 OPTIONS\n" VIA "unkscm\nContent-Length: 0\n\n" },
  { "novelsc", 416, "OPTIONS",
    "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=384\nMax-Forwards: 3\n"
    "Call-ID: novelsc.asdfasser0q239nwsdfasdkl34\nCSeq: 3923423 OPTIONS\n" VIA "novelsc\nContent-Length: 0\n\n" },
  { "bext01", 420, "OPTIONS",
    "OPTIONS " US " SIP/2.0\nTo: sip:j_user@example.com\nFrom: sip:caller@example.net;tag=242etr\nMax-Forwards: 6\nCall-ID: bext01.0ha0isndaksdj\n"
    "Require: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nCSeq: 8 OPTIONS\n" VIA "bext01\nContent-Length: 0\n\n" },
  { "invut", 415, "INVITE",
    "INVITE " US " SIP/2.0\nContact: <sip:caller@host5.example.net>\nTo: " US "\nFrom: sip:caller@example.net;tag=8392034\nMax-Forwards: 70\n"
    "Call-ID: invut.0ha0isndaksdjadsfij34n23d\nCSeq: 235448 INVITE\n" VIA "invut\nContent-Type: application/unknownformat\nContent-Length: 40\n\n"
    "<audio>\n <pcmu port=\"443\"/>\n</audio>\n12" },
  { "multi01", 0, NULL,
    "INVITE " US " SIP/2.0\nContact: <sip:caller@unit.example.com>\nCSeq: 1 INVITE\nCSeq: 2 INVITE\nMax-Forwards: 70\nCall-ID: multi01.98asdh@192.0.2.1\n"
    "Call-ID: multi01.98asdh@192.0.2.2\nFrom: sip:caller@example.com;tag=3413415\nFrom: sip:user@example.com;tag=93\nTo: sip:user@example.com\nTo: sip:other@example.net\n" VIA
    "multi01\nMax-Forwards: 5\nContent-Length: 0\n\n" },
  { "zeromf", 0, NULL,
    "OPTIONS " US " SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=3ghsd41\nCall-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\nCSeq: 39234321 OPTIONS\n" VIA
    "zeromf\nMax-Forwards: 0\nContent-Length: 0\n\n" },
  { "nothing", 0, NULL, "\n\n\n\n" },
  { "not-sip", 0, NULL, "GET / HTTP/1.1\nHost: x\n\n" },
  { "half", 0, NULL, "INVITE sip:al" },
  { "no-via", 0, NULL, "OPTIONS " US " SIP/2.0\nTo: <" US ">\nFrom: <sip:x@y>;tag=1\nCall-ID: novia\nCSeq: 1 OPTIONS\n\n" },
  { "via-to-us", 0, NULL,
    "OPTIONS " US " SIP/2.0\nVia: SIP/2.0/UDP " PHONE ":5060;branch=z9hG4bK-loop\nTo: <" US ">\nFrom: <sip:x@y>;tag=1\nCall-ID: viatous\nCSeq: 1 OPTIONS\n\n" },
  { "stray-ack", 0, NULL,
    "ACK " US " SIP/2.0\n" VIA "stray\nMax-Forwards: 70\nTo: <" US ">;tag=none\nFrom: <sip:x@y>;tag=1\nCall-ID: strayack\nCSeq: 1 ACK\nContent-Length: 0\n\n" },
  { "stray-cancel", 481, "CANCEL",
    "CANCEL " US " SIP/2.0\n" VIA "strayc\nMax-Forwards: 70\nTo: <" US ">\nFrom: <sip:x@y>;tag=1\nCall-ID: straycancel\nCSeq: 1 CANCEL\nContent-Length: 0\n\n" },
  { "stray-prack", 481, "PRACK",
    "PRACK " US " SIP/2.0\n" VIA "strayp\nMax-Forwards: 70\nTo: <" US ">;tag=x\nFrom: <sip:x@y>;tag=1\nCall-ID: strayprack\nRAck: 1 1 INVITE\nCSeq: 2 PRACK\nContent-Length: 0\n\n" },
  { "stray-info", 481, "INFO",
    "INFO " US " SIP/2.0\n" VIA "strayi\nMax-Forwards: 70\nTo: <" US ">;tag=x\nFrom: <sip:x@y>;tag=1\nCall-ID: strayinfo\nCSeq: 2 INFO\nContent-Type: application/dtmf\nContent-Length: 1\n\n5" },
};

static void
ping (Bed *bed, const char *name)
{
  guint before = peer_count_status (bed->peer, 200, "OPTIONS");

  peer_send (bed->peer, PHONE, PORT,
             "OPTIONS " US " SIP/2.0\r\n" VIA "ping-%s\r\nMax-Forwards: 70\r\nFrom: <sip:bob@" PEER ">;tag=p\r\nTo: <" US ">\r\n"
             "Call-ID: ping-%s@" PEER "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
             name, name);
  wait_for (peer_count_status (bed->peer, 200, "OPTIONS") > before);
}

static void
send_torture (Bed *bed, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *wire = g_strjoinv ("\r\n", lines);

  peer_send_raw (bed->peer, PHONE, PORT, wire, strlen (wire));
}

static void
test_one (gconstpointer data)
{
  const Torture *torture = data;
  Bed bed = { 0 };

  bed_open (&bed);
  send_torture (&bed, torture->text);
  ping (&bed, torture->name);
  if (torture->status && torture->method)
    bed_await_response (&bed, torture->status, torture->method);
  g_assert_cmpuint (bed.agent->n_incoming, ==, 0);
  bed_close (&bed);
}

/* All on one phone, then a good call. */
static void
test_all (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++)
    send_torture (&bed, messages[i].text);
  ping (&bed, "all");
  g_assert_cmpuint (bed.agent->n_incoming, ==, 0);
  bed_send_invite (&bed, "good", NULL, peer_sdp (PEER, 30000, "sendrecv"));
  bed_await_call (&bed);
  bed_close (&bed);
}

/* Every truncation and some single-octet changes of a good INVITE. */
static void
test_mutations (void)
{
  Bed bed = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (4475);
  const char *sdp;
  g_autofree char *good = NULL;
  gsize length;

  bed_open (&bed);
  sdp = peer_sdp (PEER, 30000, "sendrecv");
  good = g_strdup_printf ("INVITE sip:nobody@" PHONE " SIP/2.0\r\n" VIA "mutant\r\nMax-Forwards: 70\r\nFrom: \"Bob\" <sip:bob@" PEER ">;tag=m\r\n"
                          "To: <sip:nobody@" PHONE ">\r\nCall-ID: mutant@" PEER "\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@" PEER ">\r\n"
                          "Supported: timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\nReason: SIP;cause=200;text=\"x\"\r\n"
                          "Content-Type: application/sdp\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
                          strlen (sdp), sdp);
  length = strlen (good);
  for (gsize cut = 1; cut < length; cut += 3)
    peer_send_raw (bed.peer, PHONE, PORT, good, cut);
  for (int i = 0; i < 2000; i++)
    {
      g_autofree char *mutant = g_memdup2 (good, length + 1);

      for (int n = g_rand_int_range (rand, 1, 4); n > 0; n--)
        mutant[g_rand_int_range (rand, 0, (gint32) length)] = (char) g_rand_int_range (rand, 0, 256);
      peer_send_raw (bed.peer, PHONE, PORT, mutant, length);
      if (i % 50 == 0)
        harness_settle ();
    }
  harness_settle ();
  phone_registry_hangup_all (bed.agent->registry);
  ping (&bed, "mutated");
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++)
    {
      g_autofree char *name = g_strdup_printf ("/sip/torture/one/%s", messages[i].name);

      g_test_add_data_func (name, &messages[i], test_one);
    }
  g_test_add_func ("/sip/torture/all", test_all);
  g_test_add_func ("/sip/torture/mutations", test_mutations);
  return g_test_run ();
}
