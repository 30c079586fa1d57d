// The chat's page: what was said comes from one stream, what is written waits in an outbox until it is stored.
// Words from anywhere are shown with textContent alone.

const API = "/chat/v1";
const LONGEST_PAUSE = 15000;
const SILENCE = 40000; // the stream gives a sign of life every 15 s
const TYPING = 5000;
const main = document.getElementById("chat");
const log = document.getElementById("log");
const state = document.getElementById("state");
const words = main.dataset;

let token = sessionStorage.getItem("chat.token");
let outbox = JSON.parse(sessionStorage.getItem("chat.outbox") ?? "[]");
let lastSeq = 0;
let lastLetter = 0;
let seenSeq = 0;
let sending = false;
let following = false;
const pending = new Map(); // items that the stream has not shown yet, by client_msg_id

class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
  }
}

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(API + path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
}

let opening = null;

async function begin() {
  if (token) return;
  // Both forms may ask at once; there is one session.
  opening ??= open().finally(() => {
    opening = null;
  });
  await opening;
}

async function open() {
  const opened = await call("POST", "/sessions", { locale: document.documentElement.lang });
  token = opened.token;
  sessionStorage.setItem("chat.token", token);
  follow();
}

function forget() {
  token = null;
  lastSeq = lastLetter = seenSeq = 0;
  sessionStorage.removeItem("chat.token");
}

// What to do after a failure: true to try again, for the network and whatever the server says will pass.
function passes(error) {
  if (!(error instanceof Refusal)) return true;
  if (error.status === 401) forget();
  return error.status === 401 || error.status === 408 || error.status === 429 || error.status >= 500;
}

// ---------------------------------------------------------------------------------------------------- what is shown

function line(item, name, text) {
  const made = document.createElement("p");
  made.className = name;
  made.textContent = text;
  item.append(made);
  return made;
}

function show(kind, event) {
  const item = document.createElement("li");
  item.className = kind === "letter" ? "ours" : "yours";
  const who = line(item, "who", kind === "letter" ? words.we : words.you);
  if (event.subject) line(item, "subject", event.subject);
  line(item, "text", event.text);
  for (const file of event.attachments ?? []) line(item, "file", file.filename);
  if (event.at) stamp(who, event.at);
  log.append(item);
  log.scrollTop = log.scrollHeight;
  return item;
}

function stamp(who, at) {
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = ` · ${new Date(at).toLocaleString(document.documentElement.lang)}`;
  who.append(time);
}

function tellTyping() {
  state.textContent = words.typing;
  setTimeout(() => {
    if (state.textContent === words.typing) state.textContent = "";
  }, TYPING);
}

function tellReference(reference) {
  if (!reference) return;
  document.getElementById("reference").textContent = reference;
  document.getElementById("reference-line").hidden = false;
}

function waiting(post) {
  const item = show("message", post);
  line(item, "status", words.sending);
  pending.set(post.client_msg_id, item);
}

// ----------------------------------------------------------------------------------------------------------- sending

function keepOutbox() {
  sessionStorage.setItem("chat.outbox", JSON.stringify(outbox));
}

async function flush() {
  if (sending) return;
  sending = true;
  let pause = 500;
  while (outbox.length) {
    const post = outbox[0];
    try {
      await begin();
      const taken = await call("POST", "/messages", post);
      tellReference(taken.reference);
      const item = pending.get(post.client_msg_id);
      if (item) item.querySelector(".status").textContent = words.sent;
      pause = 500;
    } catch (error) {
      if (passes(error)) {
        state.textContent = words.away;
        await wait(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        continue;
      }
      const item = pending.get(post.client_msg_id);
      if (item) item.querySelector(".status").textContent = `${words.failed} ${error.message}`;
      pending.delete(post.client_msg_id);
    }
    state.textContent = "";
    outbox.shift();
    keepOutbox();
  }
  sending = false;
}

document.getElementById("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.getElementById("text");
  if (!field.value.trim()) return;
  const post = { client_msg_id: crypto.randomUUID(), text: field.value };
  field.value = "";
  outbox.push(post);
  keepOutbox();
  waiting(post);
  flush();
});

document.getElementById("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
});

document.getElementById("address").addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = document.getElementById("email-state");
  try {
    await begin();
    await call("PATCH", "/session", { email: document.getElementById("email").value });
    told.textContent = words.kept;
  } catch (error) {
    told.textContent = passes(error) ? words.away : words.emailWrong;
  }
});

// --------------------------------------------------------------------------------------------------------- receiving

async function follow() {
  if (following) return;
  following = true;
  let pause = 500;
  while (token) {
    try {
      await stream(() => {
        pause = 500;
        state.textContent = "";
      });
    } catch (error) {
      if (!passes(error)) break;
      if (token) state.textContent = words.away;
    }
    await wait(pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
  following = false;
}

async function stream(opened) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const headers = { Authorization: `Bearer ${token}`, "Last-Event-ID": String(lastSeq) };
    const answer = await fetch(`${API}/events`, { headers, signal: silence.signal });
    if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
    opened();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      blocks.forEach(take);
    }
  } finally {
    clearTimeout(timer);
  }
}

function take(block) {
  const fields = Object.fromEntries(
    block
      .split(/\r?\n/)
      .filter((text) => !text.startsWith(":"))
      .map((text) => [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1).trimStart()]),
  );
  if (!fields.event) return;
  const event = JSON.parse(fields.data);
  if (fields.event === "typing" && event.by === "us") tellTyping();
  if (!fields.id || event.seq <= lastSeq) return;
  lastSeq = event.seq;
  state.textContent = "";
  tellReference(event.reference);
  if (fields.event === "letter") lastLetter = event.seq;
  const item = pending.get(event.client_msg_id);
  if (item) {
    pending.delete(event.client_msg_id);
    item.remove();
  }
  show(fields.event, event);
  // What waits to be sent stays below what was said.
  pending.forEach((other) => log.append(other));
  saySeen();
}

async function saySeen() {
  if (document.visibilityState !== "visible" || lastLetter <= seenSeq) return;
  const seq = lastLetter;
  try {
    await call("POST", "/seen", { seq });
    seenSeq = Math.max(seenSeq, seq);
  } catch {
    // The next letter, or the next look at the page, says it again.
  }
}

document.addEventListener("visibilitychange", saySeen);

outbox.forEach(waiting);
if (token) follow();
flush();
