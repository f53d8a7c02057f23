// The page shows the counts of GET /pipeline and the events of GET /comments/stream. It connects only to its own server, by
// relative addresses, so that a proxy may serve it below a path. It shows comments as text, never as markup.

const POLL_MILLIS = 1000
const BURST_POLL_MILLIS = 200
const HIDDEN_POLL_MILLIS = 5000
const GAP_MILLIS = 3 * HIDDEN_POLL_MILLIS
const SHOWN_MILLIS = 60_000
const SHOWN_AT_LEAST_MILLIS = 20_000
const LATEST = 30
const BURST = 10_000
// a list stays below HTTP_MAX_BODY with any characters
const BURST_LIST = 500
const BURST_CONTENT = 200
const BURST_AT_ONCE = 2
const GIVE_UP_MILLIS = 60_000
const ANSWER_MILLIS = 10_000
// three heartbeats of the stream
const SILENCE_MILLIS = 45_000
const NEW_KEY_MILLIS = 60_000
const SVG = 'http://www.w3.org/2000/svg'

const $ = id => document.getElementById(id)
const of = (part, name) => $(part).querySelector(`[data-of="${name}"]`)
const sleep = millis => new Promise(resolve => setTimeout(resolve, millis))

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

const number = value => value == null || Number.isNaN(value) ? '–' : value < 10 ? short.format(value) : whole.format(value)
const millis = value => value == null ? '–' : value < 1000 ? `${number(value)} ms` : `${short.format(value / 1000)} s`

/** Writes only changed text: a screen reader reads out each write, and a write clears the selection. */
function write(where, text) {
  if (where.textContent !== String(text)) {
    where.textContent = text
  }
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

// ---- requests ----

const access = document.forms.access

function headers(more = {}) {
  const key = access.elements.key.value
  return key ? { ...more, Authorization: `Bearer ${key}` } : more
}

/** Whether an answer asks for an API key, or for one with another scope. */
function needsKey(status) {
  return status === 401 || status === 403
}

/** Waits for another API key, up to a limit: the server may accept the old one by then. */
function anotherKey() {
  return Promise.race([sleep(NEW_KEY_MILLIS),
    new Promise(resolve => access.addEventListener('change', resolve, { once: true })),
    new Promise(resolve => access.addEventListener('submit', resolve, { once: true }))])
}

/**
 * The JSON of an answer. For a problem it throws an Error with the detail, one line per wrong field, and the milliseconds until a
 * retry, if a retry may help.
 */
async function answer(response) {
  if (needsKey(response.status)) {
    access.hidden = false
  }
  const type = response.headers.get('Content-Type') ?? ''
  const body = type.includes('json') ? await response.json() : {}
  if (!response.ok) {
    const lines = [`${response.status}: ${body.detail ?? response.statusText}`]
    lines.push(...(body.errors ?? []).map(error => `${error.pointer} ${error.detail}`))
    const seconds = response.headers.get('Retry-After')
    throw Object.assign(new Error(lines.join('\n')), {
      status: response.status, retryMillis: seconds == null ? null : Number(seconds) * 1000
    })
  }
  return body
}

async function get(path) {
  return answer(await fetch(path, { headers: headers(), cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MILLIS) }))
}

/**
 * Posts until the body is accepted, refused for good, or enough(pause) is true. The key makes each attempt the same request, so
 * that no comment is stored twice.
 */
async function post(body, enough) {
  const idempotencyKey = randomName()
  const json = JSON.stringify(body)
  for (let failed = false; ; failed = true) {
    try {
      const accepted = await answer(await fetch('comments', {
        method: 'POST', body: json, signal: AbortSignal.timeout(ANSWER_MILLIS),
        headers: headers({ 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey })
      }))
      if (failed) {
        message('')
      }
      return accepted
    } catch (error) {
      // without a status there was no answer
      const pause = error.status ? error.retryMillis : 1000
      if (pause == null || enough(pause)) {
        throw error.status ? error : new Error('POST /comments does not answer.')
      }
      message(`${error.status ? error.message : 'No answer.'}\nTrying again …`)
      await sleep(pause)
    }
  }
}

// crypto.randomUUID exists only with HTTPS
function randomName() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(36)).join('')
}

/**
 * Reads server-sent events, and reconnects with the id of the last one. EventSource can't send an API key, and stops for good
 * after a 503.
 */
async function subscribe(path, { signal, opened = () => {}, failed = () => {}, closed = () => {}, event }) {
  let retry = 2000
  let last = ''
  while (!signal.aborted) {
    // a dead connection may never report its end
    const silence = new AbortController()
    let watchdog
    const restartWatchdog = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => silence.abort(), SILENCE_MILLIS)
    }
    let status = null
    try {
      restartWatchdog()
      const response = await fetch(path, {
        signal: AbortSignal.any([signal, silence.signal]), cache: 'no-store',
        headers: headers(last ? { 'Last-Event-ID': last } : {})
      })
      if (!response.ok) {
        await answer(response)
      }
      opened()
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        restartWatchdog()
        text += part.value
        const events = text.split('\n\n')
        text = events.pop()
        for (const lines of events.map(each => each.split('\n'))) {
          const field = name => lines.filter(line => line.startsWith(`${name}: `)).map(line => line.slice(name.length + 2))
          // an event without data may have these, too
          last = field('id')[0] ?? last
          retry = Number(field('retry')[0] ?? retry)
          if (field('data').length) {
            event(field('event')[0] ?? 'message', JSON.parse(field('data').join('\n')))
          }
        }
      }
    } catch (error) {
      if (signal.aborted) {
        return
      }
      status = error.status
      if (status) {
        failed(error)
      }
    } finally {
      clearTimeout(watchdog)
    }
    closed(status)
    await (needsKey(status) ? anotherKey() : sleep(retry))
  }
}

// ---- the counts of the process ----

let samples = []
let bursting = false
let hurry = () => {}
let roles = new Set()

/** The rate per second since the sample before; null after a restart. */
function rate(now, before, count) {
  return before && now.at > before.at && count(now) >= count(before)
    ? (count(now) - count(before)) * 1000 / (now.at - before.at) : null
}

/** The mean since the sample before. */
function mean(now, before, count) {
  const times = before ? count(now).count - count(before).count : 0
  return times > 0 ? (count(now).total - count(before).total) / times : null
}

/** A percentile of the commit times in ms since the sample before; part is 0.5 for the median. */
export function percentile(now, before, part) {
  if (!before) {
    return null
  }
  // a bucket with the same count as the one below it is left out
  const earlier = limit => before.committed.buckets.findLast(([bound]) => bound <= limit)?.[1] ?? 0
  const buckets = now.committed.buckets.map(([limit, count]) => [limit, count - earlier(limit)])
  const all = now.committed.count - before.committed.count
  return all > 0 ? (buckets.find(([, count]) => count >= all * part) ?? [60_000])[0] : null
}

/** The number of comments per message: lately, or else since the start; null if this process makes and writes none. */
function messageSize(now, before) {
  const made = sample => sample.groups
  const written = sample => ({ count: sample.committed.count, total: sample.persisted })
  const start = { groups: { count: 0, total: 0 }, committed: { count: 0 }, persisted: 0 }
  return mean(now, before, made) ?? mean(now, before, written) ?? before?.messageSize
    ?? mean(now, start, made) ?? mean(now, start, written)
}

/**
 * An estimate of the comments in the queue or unsettled here: received, and not acknowledged. Both are counts of messages, so it
 * multiplies them by the mean size of recent messages, or by 1 if there is none. Null while the broker does not answer.
 */
export function backlog(now, before) {
  now.messageSize = messageSize(now, before)
  return now.queues.comments && (now.queues.comments.messages + now.unsettled) * (now.messageSize ?? 1)
}

function show(part, values) {
  for (const [name, value] of Object.entries(values)) {
    write(of(part, name), value)
  }
}

function health(part, problem) {
  const item = $(part)
  item.dataset.health = problem ? 'bad' : 'good'
  write(item.querySelector('.state'), problem ?? '')
}

function busy(part, perSecond) {
  const item = $(part)
  if (perSecond > 0) {
    item.dataset.busy = perSecond > 1000 ? 2 : 1
  } else {
    delete item.dataset.busy
  }
}

function showRoles() {
  const absent = []
  for (const item of document.querySelectorAll('[data-role]')) {
    const here = roles.has(item.dataset.role)
    item.toggleAttribute('data-elsewhere', !here)
    if (!here) {
      absent.push(item.dataset.role)
    }
  }
  $('elsewhere').hidden = absent.length === 0
  write($('elsewhere'), `${new Intl.ListFormat('en').format(absent)} ${
    absent.length > 1 ? 'run' : 'runs'} elsewhere. This page shows the counts of one process only.`)
  $('posting').hidden = !roles.has('comment-service')
}

function showSample(now, before) {
  const accepted = rate(now, before, sample => sample.accepted)
  const written = rate(now, before, sample => sample.persisted)
  const pushed = rate(now, before, sample => sample.pushed)
  const here = role => roles.has(role)
  const queued = backlog(now, before)
  const ifHere = (role, text) => here(role) ? text : 'elsewhere'
  const count = (role, value) => number(here(role) ? value : null)
  show('service', {
    accepted: ifHere('comment-service', number(accepted)), waiting: count('comment-service', now.waiting),
    group: number(mean(now, before, sample => sample.groups)), refused: count('comment-service', now.refused)
  })
  show('comments-queue', {
    queued: number(now.queues.comments?.messages), hand: count('comment-job-processor', now.unsettled),
    size: number(now.messageSize), consumers: number(now.queues.comments?.consumers)
  })
  show('processor', {
    written: ifHere('comment-job-processor', number(written)), batch: number(mean(now, before, sample => sample.batches)),
    insert: millis(mean(now, before, sample => sample.inserts)), retries: count('comment-job-processor', now.retries)
  })
  const p50 = percentile(now, before, 0.5)
  const p99 = percentile(now, before, 0.99)
  show('database', {
    persisted: ifHere('comment-job-processor', number(now.persisted)), p50: millis(p50), p99: millis(p99),
    quarantined: count('comment-job-processor', now.quarantined)
  })
  show('notifications-queue', {
    notifications: number(now.queues.notifications?.messages), notified: number(now.queues.notifications?.consumers)
  })
  show('notifier', {
    pushing: ifHere('notification-service', number(pushed)), pushed: count('notification-service', now.pushed),
    listeners: number(now.listeners)
  })
  busy('comments-queue', accepted)
  busy('processor', written)
  busy('database', written)
  busy('notifications-queue', written)
  busy('notifier', pushed)
  const problems = now.health
  const queueProblem = queue => now.queues[queue] ? null : 'The broker does not answer.'
  health('service', here('comment-service') ? problems['comments/broker'] : null)
  health('comments-queue', queueProblem('comments'))
  health('processor', here('comment-job-processor') ? problems['comments/retrying-batches'] ?? problems['comments/unsettled'] : null)
  health('database', problems.database)
  health('notifications-queue', queueProblem('notifications'))
  health('notifier', here('notification-service') ? problems['comments/retrying-pushes'] ?? problems['comments/broker'] : null)
  now.drawn = { accepted, queued, p50, p99 }
  write($('rate-now'), accepted == null ? '–' : `${number(accepted)}/s`)
  write($('backlog-name'), here('comment-job-processor') ? 'Queued or unsettled, about' : 'Queued, about')
  write($('backlog-now'), `${number(queued)}${queued && !now.messageSize ? ' messages' : ''}`)
  write($('p50-now'), millis(p50))
  write($('p99-now'), millis(p99))
}

/** Draws lines over the last minute, or since the page was opened. Fills the area of the first line. */
function draw(chart, ...lines) {
  const values = lines.flatMap(line => samples.map(line))
  const top = Math.max(1, ...values.filter(value => value != null)) * 1.08
  const last = samples.at(-1).at
  const span = Math.max(SHOWN_AT_LEAST_MILLIS, last - samples[0].at)
  const shapes = []
  const path = (points, name) => {
    const shape = document.createElementNS(SVG, 'path')
    shape.setAttribute('d', points)
    shape.setAttribute('class', name)
    shapes.push(shape)
  }
  path('M0 60H240', 'base')
  lines.forEach((line, index) => {
    // a line has a gap where there was no answer for a while
    const parts = []
    samples.forEach((sample, at) => {
      if (at === 0 || sample.at - samples[at - 1].at > GAP_MILLIS) {
        parts.push([])
      }
      const value = line(sample)
      if (value != null) {
        parts.at(-1).push(`${(240 - (last - sample.at) * 240 / span).toFixed(1)} ${(60 - value / top * 60).toFixed(1)}`)
      }
    })
    for (const points of parts.filter(part => part.length > 0)) {
      if (index === 0) {
        path(`M${points[0].split(' ')[0]} 60L${points.join('L')}L${points.at(-1).split(' ')[0]} 60Z`, 'area')
      }
      // a line of a single point is a dot
      path(`M${points.join('L')}${points.length > 1 ? '' : 'h0'}`, index === 0 ? 'line' : 'line second')
    }
  })
  $(chart).replaceChildren(...shapes)
}

let batchesShown = null

function showBatches(batches) {
  const text = JSON.stringify(batches)
  if (text === batchesShown) {
    return
  }
  batchesShown = text
  const largest = Math.max(1, ...batches.map(batch => batch.comments))
  $('no-batches').hidden = batches.length > 0
  $('batches-table').hidden = batches.length === 0
  $('batches').replaceChildren(...batches.slice(0, 12).map(batch => element('tr', {},
    element('td', { textContent: clock.format(new Date(batch.at)) }),
    element('td', { textContent: number(batch.comments) }),
    element('td', { className: 'bar' }, element('meter', { max: largest, value: batch.comments })),
    element('td', { textContent: millis(batch.millis) }))))
}

function connection(state, text) {
  $('connection').dataset.state = state
  write($('connection'), text)
}

async function watchProcess() {
  for (;;) {
    let status = null
    try {
      const now = await get('pipeline')
      const before = samples.at(-1)
      // frequent requests may get the same answer again
      if (now.at !== before?.at) {
        roles = new Set(now.roles)
        showRoles()
        showSample(now, before)
        samples = [...samples.filter(sample => sample.at < now.at && sample.at >= now.at - SHOWN_MILLIS), now]
        draw('rate-chart', sample => sample.drawn.accepted)
        draw('backlog-chart', sample => sample.drawn.queued)
        draw('latency-chart', sample => sample.drawn.p50, sample => sample.drawn.p99)
        showBatches(now.latestBatches)
      }
      connection('live', 'live')
    } catch (error) {
      status = error.status
      connection('away', status ? error.message : 'no answer; trying again')
    }
    const pause = bursting ? BURST_POLL_MILLIS : document.hidden ? HIDDEN_POLL_MILLIS : POLL_MILLIS
    await (needsKey(status) ? anotherKey() : Promise.race([sleep(pause), new Promise(resolve => { hurry = resolve })]))
  }
}

// ---- the latest comments ----

const seen = new Set()

function addLatest(item) {
  $('nothing').hidden = true
  $('latest').prepend(item)
  while ($('latest').children.length > LATEST) {
    $('latest').lastElementChild.remove()
  }
}

function commentItem(comment) {
  const { id, postId, userName, content, acceptedAt, editedAt, erasedAt } = comment
  const item = element('li', {},
    element('p', { className: 'of' },
      // bdi confines characters that change the direction of text
      element('span', {}, ...(erasedAt ? ['A comment'] : [element('b', {}, element('bdi', { textContent: userName }))]), ' on ',
        element('bdi', { textContent: postId })),
      element('time', { dateTime: acceptedAt, textContent: clock.format(new Date(acceptedAt)) })),
    erasedAt ? element('p', { className: 'text', textContent: 'was erased' })
      : element('p', { className: 'text', dir: 'auto', textContent: content }))
  if (editedAt) {
    item.append(element('p', { className: 'changed', textContent: `edited at ${clock.format(new Date(editedAt))}` }))
  }
  item.dataset.id = id
  item.classList.toggle('erased', Boolean(erasedAt))
  return item
}

function showComment(comment) {
  // after a reconnect a comment may come again
  if (!seen.has(comment.id)) {
    see(comment)
    addLatest(commentItem(comment))
  }
}

function see({ id }) {
  seen.add(id)
  if (seen.size > 1000) {
    seen.delete(seen.values().next().value)
  }
}

/** Shows an edited or erased comment in its place, or as the latest if it is not shown. */
function showChange(comment) {
  const shown = [...$('latest').children].find(item => item.dataset.id === comment.id)
  if (shown) {
    shown.replaceWith(commentItem(comment))
  } else {
    // the comment itself may come later, when it is pushed
    see(comment)
    addLatest(commentItem(comment))
  }
}

/** Subscribes while the page is visible: over HTTP/1.1, a browser has six connections to a server for all its tabs. */
function watchComments() {
  let stop = new AbortController()
  const turn = () => {
    stop.abort()
    if (document.hidden) {
      return
    }
    stop = new AbortController()
    subscribe('comments/stream', {
      signal: stop.signal,
      opened: () => write($('latest-state'), 'live'),
      closed: status => write($('latest-state'), needsKey(status) ? 'needs an API key' : 'reconnecting …'),
      event(kind, data) {
        if (kind === 'comment') {
          showComment(data)
        } else if (kind === 'edited' || kind === 'erased') {
          showChange(data)
        } else if (kind === 'missed' && data.more) {
          // one that is erased by now may be shown
          $('latest').replaceChildren()
        } else if (kind === 'batch' && data.comments > data.shown) {
          addLatest(element('li', { className: 'summary',
            textContent: `a batch of ${number(data.comments)} comments, of which ${number(data.shown)} are shown` }))
        }
      }
    })
  }
  document.addEventListener('visibilitychange', turn)
  turn()
}

// ---- posting ----

function message(text) {
  write($('message'), text)
}

function stage(name, text) {
  const item = document.querySelector(`[data-stage="${name}"]`)
  delete item.dataset.now
  item.dataset.done = ''
  item.querySelector('b').textContent = text
  const next = item.nextElementSibling
  if (next && !('done' in next.dataset)) {
    next.dataset.now = ''
  }
}

function clearStages() {
  for (const item of document.querySelectorAll('[data-stage]')) {
    delete item.dataset.done
    delete item.dataset.now
    item.querySelector('b').textContent = ''
  }
}

/** Subscribes to a post. Resolves when the stream is open; calls interrupted if the stream ends after that. */
function subscribeTo(postId, event, interrupted = () => {}) {
  const stop = new AbortController()
  return new Promise((resolve, reject) => {
    const refuse = error => {
      stop.abort()
      reject(error)
    }
    const late = setTimeout(() => refuse(new Error('/comments/stream does not answer.')), ANSWER_MILLIS)
    let open = false
    subscribe(`comments/stream?${new URLSearchParams({ postId })}`, {
      signal: stop.signal,
      event,
      opened() {
        clearTimeout(late)
        open = true
        resolve(stop)
      },
      failed(error) {
        if (!open) {
          clearTimeout(late)
          refuse(error)
        }
      },
      closed: interrupted
    })
  })
}

/** Whether a comment can be read from the table. */
async function isWritten(id) {
  try {
    await get(`comments/${id}`)
    return true
  } catch {
    // 404 until it is written; other failures may be temporary
    return false
  }
}

async function follow(comment) {
  let id = null
  const pushed = new Map()
  // the last batch of which the stream sent not all comments
  let cut = null
  let wake = () => {}
  const stop = await subscribeTo(comment.postId, (kind, data) => {
    if (kind === 'comment') {
      pushed.set(data.id, performance.now())
      if (data.id === id) {
        wake()
      }
    } else if (kind === 'batch' && data.comments > data.shown) {
      cut = { comments: data.comments, at: performance.now() }
      wake()
    }
  })
  try {
    const start = performance.now()
    const enough = pause => performance.now() + pause > start + GIVE_UP_MILLIS
    document.querySelector('[data-stage="accepted"]').dataset.now = ''
    id = (await post(comment, enough)).id
    stage('accepted', millis(performance.now() - start))
    let written = null
    for (let pause = 100; !pushed.has(id) && !(written && cut) && !enough(0); pause = Math.min(1000, pause * 1.2)) {
      const news = new Promise(resolve => { wake = resolve })
      const earlier = cut
      if (!written && await isWritten(id)) {
        // a comment that was pushed meanwhile was written before that
        written = Math.min(performance.now(), pushed.get(id) ?? Infinity)
        stage('written', millis(written - start))
      } else if (!written && cut === earlier) {
        // that batch did not have the comment
        cut = null
      }
      if (!(written && cut)) {
        await Promise.race([news, sleep(pause)])
      }
    }
    if (pushed.has(id)) {
      stage('written', millis((written ?? pushed.get(id)) - start))
      stage('pushed', millis(pushed.get(id) - start))
    } else if (written && cut) {
      stage('pushed', `in a batch of ${number(cut.comments)}, ${millis(Math.max(written, cut.at) - start)}`)
    } else {
      message(written ? 'The comment is written, but its push was not seen within a minute.'
        : 'The comment is accepted, but was not seen in the table within a minute. It may still be queued.')
    }
  } finally {
    stop.abort()
  }
}

function progress(name, count, since) {
  const bar = $(`burst-${name}`)
  bar.value = count
  write(bar.parentElement.querySelector('b'), `${number(count)} in ${millis(since)}`)
}

async function burst(comment) {
  const postId = `burst-${randomName().slice(0, 8)}`
  const content = [...comment.content].slice(0, BURST_CONTENT).join('')
  let pushed = 0
  let interrupted = false
  const stop = await subscribeTo(postId, (kind, data) => {
    if (kind === 'batch') {
      pushed += data.comments
    }
  }, () => { interrupted = true })
  bursting = true
  hurry()
  try {
    $('burst-progress').hidden = false
    const start = performance.now()
    progress('accepted', 0, 0)
    progress('pushed', 0, 0)
    let accepted = 0
    let next = 0
    let failed = null
    const enough = pause => failed || performance.now() + pause > start + GIVE_UP_MILLIS
    const postLists = async () => {
      while (!failed && next < BURST) {
        const first = next
        next += BURST_LIST
        await post(Array.from({ length: BURST_LIST }, (_, index) =>
          ({ postId, userId: 'page', userName: comment.userName, content: `${content} (${first + index + 1})` })), enough)
        accepted += BURST_LIST
        progress('accepted', accepted, performance.now() - start)
      }
    }
    const posts = Promise.all(Array.from({ length: BURST_AT_ONCE }, () => postLists().catch(error => { failed ??= error })))
    let shown = 0
    while (!failed && pushed < BURST && !(interrupted && accepted === BURST) && !enough(0)) {
      await sleep(50)
      if (pushed > shown) {
        shown = pushed
        progress('pushed', Math.min(BURST, pushed), performance.now() - start)
      }
    }
    await posts
    progress('pushed', Math.min(BURST, pushed), performance.now() - start)
    if (failed) {
      throw new Error(`${failed.message}\nAt least ${number(accepted)} of ${number(BURST)} are accepted.`)
    }
    if (pushed < BURST) {
      message(interrupted ? 'All are accepted. The stream was interrupted, so not every push was counted.'
        : `${number(accepted)} are accepted, but only ${number(pushed)} pushes were seen within a minute.`)
    }
  } finally {
    bursting = false
    stop.abort()
  }
}

let busyPosting = false

// a disabled button loses the focus
function setBusy(now) {
  busyPosting = now
  document.querySelectorAll('#post button').forEach(button => button.setAttribute('aria-disabled', now))
}

async function busyWith(action) {
  message('')
  const { userName, postId, content } = Object.fromEntries(new FormData(document.forms.post))
  setBusy(true)
  try {
    await action({ postId, userId: 'page', userName, content })
  } catch (error) {
    message(error.message)
  } finally {
    setBusy(false)
  }
}

document.forms.post.addEventListener('submit', event => {
  event.preventDefault()
  if (!busyPosting) {
    clearStages()
    busyWith(follow)
  }
})
$('burst').addEventListener('click', () => {
  if (!busyPosting && document.forms.post.reportValidity()) {
    busyWith(burst)
  }
})
access.addEventListener('submit', event => event.preventDefault())

watchProcess()
watchComments()
