/* crowdd.js: everything a worker's page needs, in one file without dependencies.
 *
 *   <script src="crowdd.js"></script>            in the head of index.html; nothing to build
 *
 * A task is ordinary HTML. Parts are marked by an attribute, each is optional:
 *   data-crowdd="preview"    seen by visitors without a worker's link; nothing is registered
 *   data-crowdd="consent"    asked once, before anything is registered
 *   data-crowdd="onboarding" a form for the onboarding, where the task has one
 *   data-crowdd="waiting"    while partners are awaited
 *   data-crowdd="task"       the work: a form whose fields are the answer (default: the whole body)
 *   data-crowdd="post-task"  a form asked after the answer is safe; its fields are kept as metadata
 *   data-crowdd="final"      when all is saved
 * ${name} in texts and attributes is replaced by the unit's data; ${a.b} looks inside. An attribute
 * data-fill-src="${url}" fills src, without the browser asking for "${url}" first.
 * Buttons: data-crowdd-action="agree" | "next" | "give-back".
 *
 * For scripts of the page:
 *   crowdd.on("unit", ({data, agentId, workerId, kept}) => ...)   each unit, also the ones after "Next"
 *   crowdd.on("state", (state) => ...)    crowdd.on("saved", (answer) => ...)
 *   crowdd.submit(answer, files?)   resolves when the answer is safe (during the onboarding: passed)      crowdd.giveBack()   crowdd.next()
 *   crowdd.log(data)   crowdd.metadata(data)   at any time, sent again until the server has it
 *   crowdd.keep(data)  remembered with the draft, handed back as `kept` after a reload
 *   crowdd.state, crowdd.reason, crowdd.agentId, crowdd.data, crowdd.config, crowdd.preview
 *
 * For tasks whose code on the server talks with the page (types live, group, remote_procedure):
 *   crowdd.on("update", (data) => ...)    what the server sent: each once, in order, whatever happens to the line
 *   crowdd.on("sent", (data) => ...)      what this page sent, in its place between the updates
 *       Both come after "unit" and begin with the past: a page that draws from these two events is whole after a reload.
 *   crowdd.send(data)      an object for the server. Kept in the browser until the server has it, over reloads and
 *       offline spells; "sent" tells of it at once. False where nobody hears: a preview, or the unit is over.
 *   crowdd.call(name, args, {limit_s: 60})    runs a function of the task on the server; a promise of its result.
 *       Rejects with an Error: its message says why, its `reason` is "error", "timeout" or "ended".
 *       The calls of earlier page loads are `calls` of "unit": [{name, args, result or error}].
 *   crowdd.connect()       opens the socket also in tasks that do without (`socket: false`)
 * When a partner leaves, crowdd.reason is "partner_left" in the "state" event; the worker may still save.
 */
