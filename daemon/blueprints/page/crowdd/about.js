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
 *   crowdd.on("state", (state) => ...)    crowdd.on("saved", (answer) => ...)    crowdd.on("update", (data) => ...)
 *   crowdd.submit(answer, files?)   resolves when the answer is safe (during the onboarding: passed)      crowdd.giveBack()   crowdd.next()
 *   crowdd.log(data)   crowdd.metadata(data)   at any time, sent again until the server has it
 *   crowdd.keep(data)  remembered with the draft, handed back as `kept` after a reload
 *   crowdd.connect()   the live socket;  crowdd.send(data) speaks to the task's code on the server
 *   crowdd.state, crowdd.agentId, crowdd.data, crowdd.config, crowdd.preview
 */
