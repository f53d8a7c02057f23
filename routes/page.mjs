// The page shows what GET /pipeline counts and what GET /comments/stream tells. It speaks to nobody else, and whatever
// somebody wrote is shown as text, never as markup.

const POLL_MILLIS = 1000
const SAMPLES = 60
const LATEST = 30
const BURST = 10_000
const BURST_LIST = 1_000
const BURST_AT_ONCE = 2
const GIVE_UP_MILLIS = 60_000
const SVG = 'http://www.w3.org/2000/svg'

const $ = id => document.getElementById(id)
const of = (part, name) => $(part).querySelector(`[data-of="${name}"]`)
const sleep = millis => new Promise(resolve => setTimeout(resolve, millis))

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

const number = value => value == null || Number.isNaN(value) ? '–' : value < 10 ? short.format(value) : whole.format(value)
const millis = value => value == null ? '–' : value < 1000 ? `${number(value)} ms` : `${short.format(value / 1000)} s`

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

// ---- asking ----

function headers(more = {}) {
  const key = document.forms.post.elements.key.value
  return key ? { ...more, Authorization: `Bearer ${key}` } : more
}

/** The JSON of an answer; throws an Error that says what a problem says, each wrong field on a line of its own. */
async function answer(response) {
  if (response.status === 401) {
    $('key').hidden = false
  }
  const type = response.headers.get('Content-Type') ?? ''
  const body = type.includes('json') ? await response.json() : {}
  if (!response.ok) {
    const lines = [`${response.status}: ${body.detail ?? response.statusText}`]
    lines.push(...(body.errors ?? []).map(error => `${error.pointer} ${error.detail}`))
    throw Object.assign(new Error(lines.join('\n')), { status: response.status })
  }
  return body
}

async function post(body) {
  return answer(await fetch('/comments', {
    method: 'POST', headers: headers({ 'Content-Type': 'application/json' }), body: JSON.stringify(body)
  }))
}

/**
 * Reads server-sent events, and comes back by itself with the id of the last one. EventSource could not show an API key, and
 * would give up for good at a 503.
 */
async function listen(path, { signal, opened = () => {}, closed = () => {}, event }) {
  let retry = 2000
  let last = ''
  while (!signal.aborted) {
    try {
      const response = await fetch(path, { signal, cache: 'no-store', headers: headers(last ? { 'Last-Event-ID': last } : {}) })
      if (!response.ok) {
        await answer(response)
      }
      opened()
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value
        const events = text.split('\n\n')
        text = events.pop()
        for (const lines of events.map(one => one.split('\n'))) {
          const field = name => lines.filter(line => line.startsWith(`${name}: `)).map(line => line.slice(name.length + 2))
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
    }
    closed()
    await sleep(retry)
  }
}

// ---- what the process counts ----

const samples = []
let roles = new Set()

/** How much was counted a second since the sample before; null after a restart. */
function rate(now, before, count) {
  return before && now.at > before.at && count(now) >= count(before)
    ? (count(now) - count(before)) * 1000 / (now.at - before.at) : null
}

/** The mean of what was counted since the sample before. */
function mean(now, before, count) {
  const times = before ? count(now).count - count(before).count : 0
  return times > 0 ? (count(now).total - count(before).total) / times : null
}

/** The time in ms that a part of the comments since the sample before did not take longer than. */
function percentile(now, before, part) {
  if (!before) {
    return null
  }
  const earlier = new Map(before.committed.buckets)
  const buckets = now.committed.buckets.map(([most, count]) => [most, count - (earlier.get(most) ?? 0)])
  const all = now.committed.count - before.committed.count
  return all > 0 ? (buckets.find(([, count]) => count >= all * part) ?? [60_000])[0] : null
}

/** Comments that this process took and has not written yet; only known where one process does both. */
function underway(sample) {
  return roles.has('comment-service') && roles.has('comment-job-processor')
    ? Math.max(0, sample.accepted - sample.persisted - sample.quarantined) : null
}

function show(part, values) {
  for (const [name, value] of Object.entries(values)) {
    of(part, name).textContent = value
  }
}

function health(part, problem) {
  const item = $(part)
  item.dataset.health = problem ? 'bad' : 'good'
  item.querySelector('.state').textContent = problem ?? ''
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
  $('elsewhere').textContent = `This process knows nothing of what others count: ${absent.join(', ')} ${absent.length > 1 ? 'run' : 'runs'} elsewhere.`
  document.forms.post.hidden = $('stages').hidden = !roles.has('comment-service')
}

function showSample(now, before) {
  const accepted = rate(now, before, sample => sample.accepted)
  const written = rate(now, before, sample => sample.persisted)
  const pushed = rate(now, before, sample => sample.pushed)
  const here = role => roles.has(role)
  const known = (role, value) => here(role) ? value : 'elsewhere'
  show('service', {
    accepted: known('comment-service', number(accepted)), waiting: number(now.waiting),
    group: number(mean(now, before, sample => sample.groups)), refused: number(now.refused)
  })
  show('comments-queue', {
    queued: number(now.queues.comments?.messages), underway: number(underway(now)), consumers: number(now.queues.comments?.consumers)
  })
  show('processor', {
    written: known('comment-job-processor', number(written)), batch: number(mean(now, before, sample => sample.batches)),
    insert: millis(mean(now, before, sample => sample.inserts)), quarantined: number(now.quarantined)
  })
  const p50 = percentile(now, before, 0.5)
  const p99 = percentile(now, before, 0.99)
  show('database', { persisted: known('comment-job-processor', number(now.persisted)), p50: millis(p50), p99: millis(p99) })
  show('notifications-queue', {
    notifications: number(now.queues.notifications?.messages), notified: number(now.queues.notifications?.consumers)
  })
  show('notifier', {
    pushing: known('notification-service', number(pushed)), pushed: number(now.pushed), listeners: number(now.listeners)
  })
  busy('comments-queue', accepted)
  busy('processor', written)
  busy('database', written)
  busy('notifications-queue', written)
  busy('notifier', pushed)
  const ill = now.health
  const queueProblem = queue => now.queues[queue] ? null : 'The broker does not answer.'
  health('service', here('comment-service') ? ill['comments/broker'] : null)
  health('comments-queue', queueProblem('comments'))
  health('processor', here('comment-job-processor') ? ill['comments/retrying-batches'] ?? ill['comments/unsettled'] : null)
  health('database', ill.database)
  health('notifications-queue', queueProblem('notifications'))
  health('notifier', here('notification-service') ? ill['comments/broker'] : null)
  now.drawn = { accepted, underway: underway(now) ?? now.queues.comments?.messages, p50, p99 }
  $('rate-now').textContent = accepted == null ? '–' : `${number(accepted)}/s`
  $('backlog-now').textContent = number(now.drawn.underway)
  $('latency-now').textContent = p50 == null ? '–' : `p50 ${millis(p50)}, p99 ${millis(p99)}`
}

/** Draws lines over the last samples; the first has its area filled. */
function draw(chart, ...lines) {
  const values = lines.flatMap(line => samples.map(line))
  const top = Math.max(1, ...values.filter(value => value != null)) * 1.08
  const shapes = []
  const path = (points, name) => {
    const shape = document.createElementNS(SVG, 'path')
    shape.setAttribute('d', points)
    shape.setAttribute('class', name)
    shapes.push(shape)
  }
  path('M0 60H240', 'base')
  lines.forEach((line, index) => {
    const points = samples.map((sample, at) => [240 - (samples.length - 1 - at) * 240 / (SAMPLES - 1), line(sample)])
      .filter(([, value]) => value != null).map(([x, value]) => `${x.toFixed(1)} ${(60 - value / top * 60).toFixed(1)}`)
    if (points.length > 1) {
      if (index === 0) {
        path(`M${points[0].split(' ')[0]} 60L${points.join('L')}L${points.at(-1).split(' ')[0]} 60Z`, 'area')
      }
      path(`M${points.join('L')}`, index === 0 ? 'line' : 'line second')
    }
  })
  $(chart).replaceChildren(...shapes)
}

function showBatches(batches) {
  const largest = Math.max(1, ...batches.map(batch => batch.comments))
  $('batches').replaceChildren(...batches.slice(0, 12).map(batch => element('tr', {},
    element('td', { textContent: clock.format(new Date(batch.at)) }),
    element('td', { textContent: number(batch.comments) }),
    element('td', { className: 'bar' }, element('meter', { max: largest, value: batch.comments })),
    element('td', { textContent: millis(batch.millis) }))))
}

function connection(state, text) {
  $('connection').dataset.state = state
  $('connection').textContent = text
}

async function watchProcess() {
  for (;;) {
    try {
      const now = await answer(await fetch('/pipeline', { headers: headers(), cache: 'no-store', signal: AbortSignal.timeout(10_000) }))
      const before = samples.at(-1)
      roles = new Set(now.roles)
      showRoles()
      showSample(now, before)
      samples.push(now)
      samples.splice(0, samples.length - SAMPLES)
      draw('rate-chart', sample => sample.drawn.accepted)
      draw('backlog-chart', sample => sample.drawn.underway)
      draw('latency-chart', sample => sample.drawn.p50, sample => sample.drawn.p99)
      showBatches(now.latestBatches)
      connection('live', 'live')
    } catch (error) {
      connection('away', error.status ? error.message : 'no answer; trying again')
    }
    await sleep(document.hidden ? 5 * POLL_MILLIS : POLL_MILLIS)
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

function showComment(comment) {
  // whoever comes back may be told of a comment again
  if (seen.has(comment.id)) {
    return
  }
  seen.add(comment.id)
  if (seen.size > 1000) {
    seen.delete(seen.values().next().value)
  }
  addLatest(element('li', {},
    element('p', { className: 'of' },
      element('span', {}, element('b', { textContent: comment.userName }), ` on ${comment.postId}`),
      element('time', { dateTime: comment.acceptedAt, textContent: clock.format(new Date(comment.acceptedAt)) })),
    element('p', { className: 'text', textContent: comment.content })))
}

function watchComments() {
  listen('/comments/stream', {
    signal: new AbortController().signal,
    opened: () => { $('latest-state').textContent = 'live' },
    closed: () => { $('latest-state').textContent = 'reconnecting …' },
    event(kind, data) {
      if (kind === 'comment') {
        showComment(data)
      } else if (kind === 'batch' && data.comments > data.shown) {
        addLatest(element('li', { className: 'summary',
          textContent: `a batch of ${number(data.comments)} comments, of which ${number(data.shown)} are shown` }))
      }
    }
  })
}

// ---- posting ----

const buttons = () => document.querySelectorAll('form button')

function message(text) {
  $('message').textContent = text
}

function stage(name, text) {
  const item = document.querySelector(`[data-stage="${name}"]`)
  delete item.dataset.now
  item.dataset.done = ''
  item.querySelector('output').textContent = text
  const next = item.nextElementSibling
  if (next && !('done' in next.dataset)) {
    next.dataset.now = ''
  }
}

function clearStages() {
  for (const item of document.querySelectorAll('[data-stage]')) {
    delete item.dataset.done
    delete item.dataset.now
    item.querySelector('output').textContent = ''
  }
}

/** Listens to a post, and is done when the stream is open. */
function listenTo(postId, event) {
  const stop = new AbortController()
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => { stop.abort(); reject(new Error('Nobody answers to /comments/stream.')) }, 10_000)
    listen(`/comments/stream?${new URLSearchParams({ postId })}`, {
      signal: stop.signal, event, opened: () => { clearTimeout(late); resolve(stop) }
    })
  })
}

async function awaitWritten({ postId }, id, until) {
  const path = `/comments?${new URLSearchParams({ postId, limit: 50 })}`
  while (performance.now() < until) {
    const comments = await answer(await fetch(path, { headers: headers(), cache: 'no-store' }))
    if (comments.some(comment => comment.id === id)) {
      return true
    }
    await sleep(100)
  }
  return false
}

async function follow(comment) {
  const pushed = new Map()
  let told = () => {}
  const stop = await listenTo(comment.postId, (kind, data) => {
    if (kind === 'comment') {
      pushed.set(data.id, performance.now())
      told()
    }
  })
  try {
    const start = performance.now()
    document.querySelector('[data-stage="accepted"]').dataset.now = ''
    const { id } = await post(comment)
    stage('accepted', millis(performance.now() - start))
    if (await awaitWritten(comment, id, start + GIVE_UP_MILLIS)) {
      // what was pushed in the meantime was written before
      stage('written', millis(Math.min(performance.now(), pushed.get(id) ?? Infinity) - start))
    }
    while (!pushed.has(id) && performance.now() < start + GIVE_UP_MILLIS) {
      await Promise.race([new Promise(resolve => { told = resolve }), sleep(1000)])
    }
    if (pushed.has(id)) {
      stage('pushed', millis(pushed.get(id) - start))
    } else {
      message('It is accepted, and still on its way: nothing was pushed within a minute.')
    }
  } finally {
    stop.abort()
  }
}

function progress(name, count, since) {
  const bar = $(`burst-${name}`)
  bar.value = count
  bar.parentElement.querySelector('output').textContent = `${number(count)} in ${millis(since)}`
}

async function burst(comment) {
  const postId = `burst-${Date.now().toString(36)}`
  let pushed = 0
  const stop = await listenTo(postId, (kind, data) => {
    if (kind === 'batch') {
      pushed += data.comments
    }
  })
  try {
    $('burst-progress').hidden = false
    const start = performance.now()
    progress('pushed', 0, 0)
    let accepted = 0
    let next = 0
    const postLists = async () => {
      while (next < BURST) {
        const first = next
        next += BURST_LIST
        await post(Array.from({ length: BURST_LIST }, (_, index) =>
          ({ postId, userId: 'page', userName: comment.userName, content: `${comment.content} (${first + index + 1})` })))
        accepted += BURST_LIST
        progress('accepted', accepted, performance.now() - start)
      }
    }
    const posts = Promise.all(Array.from({ length: BURST_AT_ONCE }, postLists))
    let failed = null
    posts.catch(error => { failed = error })
    let shown = 0
    while (!failed && pushed < BURST && performance.now() < start + GIVE_UP_MILLIS) {
      await sleep(50)
      if (pushed > shown) {
        shown = pushed
        progress('pushed', Math.min(BURST, pushed), performance.now() - start)
      }
    }
    await posts
    progress('pushed', Math.min(BURST, pushed), performance.now() - start)
  } finally {
    stop.abort()
  }
}

async function busyWith(action) {
  message('')
  const { userName, postId, content } = Object.fromEntries(new FormData(document.forms.post))
  buttons().forEach(button => { button.disabled = true })
  try {
    await action({ postId, userId: 'page', userName, content })
  } catch (error) {
    message(error.message)
  } finally {
    buttons().forEach(button => { button.disabled = false })
  }
}

document.forms.post.addEventListener('submit', event => {
  event.preventDefault()
  clearStages()
  busyWith(follow)
})
$('burst').addEventListener('click', () => {
  if (document.forms.post.reportValidity()) {
    busyWith(burst)
  }
})

watchProcess()
watchComments()
