// SPDX-License-Identifier: LGPL-2.1-or-later
// A telephone in a page, no more than the tests need: SIP over WebSocket (RFC 7118), one call at a time, WebRTC for the sound. A file is its
// microphone; what it hears goes back to the server as 16-bit samples at 48 kHz when the call ends. It is driven by the address of the page
// (ws, aor, call: whom to call, else it waits) and reports what happens to /event.
'use strict';

const options = new URLSearchParams(location.search);
const aor = options.get('aor');
const domain = aor.split('@')[1];
const host = random() + '.invalid';
const contact = `<sip:${random()}@${host};transport=ws>`;
const socket = new WebSocket(options.get('ws'), 'sip');
let sequence = 0, dialog = null, waiting = {}, sound = null;

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), octet => octet.toString(16).padStart(2, '0')).join('');
}

function report(event, more) {
  return fetch('/event', { method: 'POST', body: JSON.stringify({ event, ...more }) });
}

window.addEventListener('error', event => report('error', { what: event.message }));
window.addEventListener('unhandledrejection', event => report('error', { what: String(event.reason) }));

// ---- messages ----

function parse(text) {
  const [head, ...body] = text.split('\r\n\r\n');
  const lines = head.split('\r\n'), message = { start: lines.shift(), headers: [], body: body.join('\r\n\r\n') };
  for (const line of lines) {
    const colon = line.indexOf(':');
    message.headers.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]);
  }
  message.all = name => message.headers.filter(([key]) => key === name).map(([, value]) => value);
  message.get = name => message.all(name)[0] || '';
  const words = message.start.split(' ');
  if (words[0] === 'SIP/2.0')
    message.status = Number(words[1]);
  else
    [message.method, message.uri] = words;
  return message;
}

function send(start, headers, body = '') {
  const lines = [start, ...headers];
  if (body)
    lines.push('Content-Type: application/sdp');
  lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`, '', body);
  socket.send(lines.join('\r\n'));
}

// Resolves with the final response.
function request(method, uri, { from, to, callId, routes = [], body = '', cseq = ++sequence, branch = 'z9hG4bK' + random() }) {
  send(`${method} ${uri} SIP/2.0`, [`Via: SIP/2.0/WS ${host};branch=${branch}`, 'Max-Forwards: 70', ...routes.map(route => `Route: ${route}`),
    `From: ${from}`, `To: ${to}`, `Call-ID: ${callId}`, `CSeq: ${cseq} ${method}`, `Contact: ${contact}`, 'User-Agent: page'], body);
  if (method === 'ACK')
    return null;
  return new Promise(resolve => { waiting[branch] = resolve; });
}

function respond(message, status, phrase, toTag, body) {
  const to = message.get('to');
  send(`SIP/2.0 ${status} ${phrase}`, [...message.all('via').map(via => `Via: ${via}`),
    ...message.all('record-route').map(route => `Record-Route: ${route}`), `From: ${message.get('from')}`,
    `To: ${to.includes(';tag=') || !toTag ? to : `${to};tag=${toTag}`}`, `Call-ID: ${message.get('call-id')}`, `CSeq: ${message.get('cseq')}`,
    `Contact: ${contact}`], body);
}

// ---- sound ----

async function openSound() {
  const context = new AudioContext({ sampleRate: 48000 });
  const speech = await context.decodeAudioData(await (await fetch('speech.wav')).arrayBuffer());
  const microphone = context.createMediaStreamDestination();
  const source = context.createBufferSource();
  source.buffer = speech;
  source.loop = true;
  source.connect(microphone);
  source.start();
  const peer = new RTCPeerConnection();
  peer.addTrack(microphone.stream.getAudioTracks()[0], microphone.stream);
  const heard = [];
  peer.ontrack = event => {
    const element = new Audio();        // without one that plays it, Chromium gives the stream no samples
    element.srcObject = event.streams[0] || new MediaStream([event.track]);
    element.muted = true;
    element.play();
    const tap = context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = block => heard.push(Int16Array.from(block.inputBuffer.getChannelData(0),
                                                            sample => Math.max(-1, Math.min(1, sample)) * 32767));
    context.createMediaStreamSource(element.srcObject).connect(tap);
    tap.connect(context.destination);
  };
  peer.onconnectionstatechange = () => report('connection', { state: peer.connectionState });
  sound = { peer, heard, context };
  return sound;
}

function gathered(peer) {
  if (peer.iceGatheringState === 'complete')
    return Promise.resolve();
  return new Promise(resolve => {
    peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === 'complete') resolve(); };
  });
}

async function closeSound() {
  const { peer, heard, context } = sound;
  const stats = {};
  for (const entry of (await peer.getStats()).values())
    if (entry.type === 'transport')
      Object.assign(stats, { srtp: entry.srtpCipher, dtls: entry.dtlsState, role: entry.dtlsRole, tls: entry.tlsVersion });
  peer.close();
  await context.close();
  await fetch('/heard', { method: 'POST', body: new Blob(heard) });
  await report('ended', stats);
}

// ---- calls ----

async function dial(target) {
  const { peer } = await openSound();
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  dialog = { from: `<sip:${aor}>;tag=${random()}`, callId: random() };
  const cseq = ++sequence, branch = 'z9hG4bK' + random();
  const response = await request('INVITE', target, { ...dialog, to: `<${target}>`, body: peer.localDescription.sdp, cseq, branch });
  if (response.status >= 300) {
    request('ACK', target, { ...dialog, to: response.get('to'), cseq, branch });
    report('refused', { status: response.status });
    return;
  }
  dialog.to = response.get('to');
  dialog.routes = response.all('record-route').reverse();
  dialog.uri = response.get('contact').replace(/^.*<|>.*$/g, '');
  request('ACK', dialog.uri, { ...dialog, cseq });
  await peer.setRemoteDescription({ type: 'answer', sdp: response.body });
  report('answered', { sdp: response.body });
}

async function onInvite(message) {
  const tag = random();
  respond(message, 100, 'Trying');
  respond(message, 180, 'Ringing', tag);
  const { peer } = await openSound();
  await peer.setRemoteDescription({ type: 'offer', sdp: message.body });
  await peer.setLocalDescription(await peer.createAnswer());
  await gathered(peer);
  respond(message, 200, 'OK', tag, peer.localDescription.sdp);
  report('answered', { sdp: message.body });
}

async function onMessage(text) {
  if (!text.trim())
    return;
  const message = parse(text);
  if (message.status) {
    const branch = /branch=([^;\s,]+)/.exec(message.get('via'))[1];
    if (message.status >= 200 && waiting[branch]) {
      waiting[branch](message);
      delete waiting[branch];
    }
  } else if (message.method === 'INVITE') {
    await onInvite(message);
  } else if (message.method === 'BYE') {
    respond(message, 200, 'OK');
    await closeSound();
  } else if (message.method !== 'ACK') {
    respond(message, message.method === 'OPTIONS' ? 200 : 405, message.method === 'OPTIONS' ? 'OK' : 'Method Not Allowed', random());
  }
}

socket.onmessage = async event => onMessage(typeof event.data === 'string' ? event.data : await event.data.text());
socket.onclose = () => report('closed');
socket.onopen = async () => {
  const self = `<sip:${aor}>`;
  const response = await request('REGISTER', `sip:${domain}`, { from: `${self};tag=${random()}`, to: self, callId: random() });
  await report('registered', { status: response.status });
  if (options.get('call'))
    await dial(options.get('call'));
};
