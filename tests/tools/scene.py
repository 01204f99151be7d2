# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scenarios for SIPp, said in a few words where its XML takes pages: what the peer of one dialog gets and sends, step by step.

    Scene().call().refer("<sip:bob@h>").recv("BYE").ok()        SIPp calls
    Scene().called().ok(SDP).recv("ACK").poked().bye()          SIPp is called

A step that does not come, or comes with other content than it is checked for, fails the scenario. The dialog's tag on SIPp's side is TAG. A step
may wait for the test: it is `poked()`, by Sipp.poke().
"""
import re
from xml.sax.saxutils import quoteattr

TAG = "sipp"
KEPT = (("Via", "via"), ("From", "from"), ("To", "to"), ("CSeq", "cseq"))
POKE = "PUBLISH"            # what a telephone does not send within a dialog


def sdp(direction="sendrecv", *lines):
    """A session description; its version is put in where it is sent."""
    return ["v=0", "o=sipp 1 %VERSION% IN IP[local_ip_type] [media_ip]", "s=-", "c=IN IP[media_ip_type] [media_ip]", "t=0 0",
            "m=audio 30000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", f"a={direction}", *lines]


SDP = ("application/sdp", sdp())


class Scene:
    def __init__(self):
        self.steps, self.variables = [], []
        self.sequence = self.version = self.labels = 0
        self.fresh = False                      # the request that came last has no tag of ours yet
        self.kept_fresh = False                 # the one that is kept for later had none
        self.uri = self.local = self.remote = None

    # ---- what is sent ----

    def send(self, start, headers, body=None, retransmit=True):
        kind, lines = body or (None, [])
        if kind:
            self.version += 1
            headers = [*headers, f"Content-Type: {kind}"]
            lines = [line.replace("%VERSION%", str(self.version)) for line in lines]
        text = "\n".join([start, *headers, "Content-Length: [len]" if kind else "Content-Length: 0", "", *lines])
        again = ' retrans="500"' if retransmit else ""
        self.steps.append(f"<send{again}><![CDATA[\n\n{text}\n\n]]></send>")
        return self

    def request(self, method, *headers, body=None, sequence=None):
        """Within the dialog, or to begin one."""
        if sequence is None:
            self.sequence += 1
        return self.send(f"{method} {self.uri} SIP/2.0",
                         ["Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]", f"From:{self.local}", f"To:{self.remote}",
                          "Call-ID: [call_id]", f"CSeq: {sequence or self.sequence} {method}", "Contact: <sip:sipp@[local_ip]:[local_port]>",
                          "Max-Forwards: 70", *headers], body, retransmit=method != "ACK")

    def reply(self, status, *headers, body=None, late=False):
        """To the request that came last; or, late, to the one that was kept, when something else came since."""
        tag = f";tag={TAG}" if (self.kept_fresh if late else self.fresh) else ""
        echo = (["Via:[$via]", "From:[$from]", f"To:[$to]{tag}", "[last_Call-ID:]", "CSeq:[$cseq]"] if late
                else ["[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", "[last_CSeq:]"])
        return self.send(f"SIP/2.0 {status}", [*echo, "Contact: <sip:sipp@[local_ip]:[local_port]>", *headers], body, retransmit=False)

    def ok(self, body=None, *headers):
        return self.reply("200 OK", *headers, body=body)

    # ---- what comes ----

    def recv(self, what, *, optional=False, keep=False, **checks):
        """what: a method, or a status. checks: regular expressions for headers (refer_to=...) or for the whole message (message=...).
        keep: it will be answered later."""
        kind = "response" if isinstance(what, int) else "request"
        actions = [f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{name}"/>' for header, name in (KEPT if keep else ())]
        self.variables += [name for _, name in (KEPT if keep else ())]
        for name, pattern in checks.items():
            where = 'search_in="msg"' if name == "message" else f'search_in="hdr" header="{name.replace("_", "-").title()}:"'
            self.variables.append("seen")
            actions.append(f"<ereg regexp={quoteattr(pattern)} {where} check_it=\"true\" assign_to=\"seen\"/>")
        attributes = ' optional="true"' if optional else ""
        body = f"<action>{''.join(actions)}</action>" if actions else ""
        self.steps.append(f'<recv {kind}="{what}"{attributes}>{body}</recv>')
        self.fresh = False
        self.kept_fresh = self.kept_fresh and not keep
        return self

    def called(self, method="INVITE", **checks):
        """The first request of a dialog that the phone begins."""
        self.recv(method, keep=True, **checks)
        self.steps[-1] = self.steps[-1].replace("<action>", '<action><ereg regexp="sip:[^&gt;;]*" search_in="hdr" header="Contact:" assign_to="uri"/>')
        self.variables.append("uri")
        self.uri, self.local, self.remote = "[$uri]", f"[$to];tag={TAG}", "[$from]"
        self.fresh = self.kept_fresh = True
        return self

    def answered(self):
        return self.ok(SDP).recv("ACK")

    def call(self, *headers, status=200, body=SDP, ringing=False, **checks):
        """SIPp calls, and the phone answers so."""
        self.uri = "sip:[service]@[remote_ip]:[remote_port]"
        self.local, self.remote = f' "SIPp" <sip:sipp@[local_ip]:[local_port]>;tag={TAG}', f" <{self.uri}>"
        self.request("INVITE", *headers, body=body)
        self.recv(100, optional=True)
        self.recv(180, optional=not ringing)
        self.recv(status, **checks)
        self.remote += "[peer_tag_param]"
        if status < 300:
            return self.request("ACK", sequence=self.sequence)
        return self.send(f"ACK {self.uri} SIP/2.0", ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", f"CSeq: {self.sequence} ACK",
                                                     "Max-Forwards: 70"], retransmit=False)

    def outside(self, who, method, *headers):
        """SIPp begins a dialog without a call, and says that it is who (a URI)."""
        self.uri = "sip:[service]@[remote_ip]:[remote_port]"
        self.local, self.remote = f" <{who}>;tag={TAG}", f" <{self.uri}>"
        return self.request(method, *headers)

    def poked(self):
        return self.recv(POKE)

    # ---- what is often done ----

    def held(self):
        return self.recv("INVITE", message="a=sendonly").ok(("application/sdp", sdp("recvonly"))).recv("ACK")

    def resumed(self):
        return self.recv("INVITE", message="a=sendrecv").ok(SDP).recv("ACK")

    def bye(self):
        return self.request("BYE").recv(200)

    def hung_up(self):
        return self.recv("BYE").ok()

    def news(self, event, state, body=None):
        """A NOTIFY of SIPp's."""
        return self.request("NOTIFY", f"Event: {event}", f"Subscription-State: {state}", body=body).recv(200)

    def outcome(self, status, contact=None):
        """How the transfer went that the phone asked for."""
        return self.news("refer", "active;expires=60" if status.startswith("1") else "terminated;reason=noresource",
                         ("message/sipfrag", [f"SIP/2.0 {status}", *([f"Contact: <{contact}>"] if contact else [])]))

    def told(self, status, **checks):
        """How the transfer went that SIPp asked for."""
        over = "active" if status.startswith("1") else "terminated"
        return self.recv("NOTIFY", event="refer", subscription_state=over, message=f"SIP/2.0 {status}", **checks).ok()

    def otherwise(self, other):
        """Another dialog may begin instead: to SIPp that is a call of its own."""
        self.labels += 1
        begin, end = f"{self.labels}1", f"{self.labels}2"
        self.steps[0:0] = [re.sub(r'^<recv request="(\w+)"', rf'<recv request="\1" optional="true" next="{begin}"', other.steps[0])]
        self.steps += [f'<nop next="{end}"/>', f'<label id="{begin}"/>', *other.steps[1:], f'<label id="{end}"/>', "<nop/>"]
        self.variables += other.variables
        return self

    def xml(self):
        return "\n".join(['<?xml version="1.0" encoding="UTF-8" ?>', '<!DOCTYPE scenario SYSTEM "sipp.dtd">', '<scenario name="scene">', *self.steps,
                          *([f'<Reference variables="{",".join(dict.fromkeys(self.variables))}"/>'] if self.variables else []), "</scenario>", ""])
