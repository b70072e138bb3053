// The page's states, its words and its limits.

/** Where the page stands: one of these, nothing else. */
const State = Object.freeze({
  CONNECTING: "connecting",
  ONBOARDING: "onboarding",
  WAITING: "waiting",
  IN_TASK: "in task",
  COMPLETED: "completed",
  POST_TASK: "post-task",
  DISCONNECTED: "disconnected",
  FAILED_TO_CONNECT: "failed to connect",
});

/** What the page says; a task changes any of it in `texts` of its task_config. */
const TEXTS = {
  connecting: "Connecting",
  connecting_more: "One moment, please.",
  busy: "Please wait a moment",
  busy_paused: "This task is pausing",
  unreachable: "No connection",
  unreachable_more: "The server cannot be reached at the moment.",
  retry: "Trying again in {seconds} s",
  try_now: "Try now",
  refused: "You cannot start right now",
  refused_no_available_units: "Nothing to do right now",
  refused_no_match: "Nothing to do right now",
  refused_max_for_task: "You have done your part",
  refused_run_ended: "This task has ended",
  refused_identity_unverified: "This link does not work",
  refused_more: "The server gave no reason.",
  no_mobile: "This task does not work on phones and tablets. Please open your link on a computer.",
  try_again: "Try again",
  preview: "Preview",
  preview_more: "Open your personal link to start working.",
  consent: "Before you start",
  agree: "I agree, let me start",
  onboarding: "First a short introduction",
  onboarding_done: "I have read it",
  checking_onboarding: "Checking …",
  onboarding_passed: "You passed the introduction",
  waiting: "Waiting for your partners",
  waiting_more: "The task starts as soon as everybody is here.",
  in_task: "In progress",
  draft_kept: "Draft kept",
  draft_not_kept: "This browser has no room for a draft: save before you leave this page.",
  draft_restored: "Your draft is back",
  choose_changed: "{file} was changed or moved after you chose it. Please choose it again.",
  choose_again: "A draft cannot hold files. Please choose again: {files}",
  file_note: "A chosen file is sent when you save; it is not part of the draft.",
  save: "Save",
  saving: "Saving …",
  not_saved: "Not saved yet",
  not_saved_more: "What you entered is kept on this page.",
  refused_answer: "This could not be saved",
  saved: "Saved",
  saved_more: "Thank you, your answer is safe.",
  post_task_more: "Your answer is safe. One more question, if you like:",
  next: "Next",
  finish: "Finish",
  time_left: "{time} left",
  time_warning: "Only {time} left",
  time_warning_more: "Please save your answer in time.",
  time_over: "The time is over",
  time_over_more: "Save at once if you can: this unit may go to somebody else.",
  give_back: "Give back",
  give_back_sure: "Give this unit back?",
  give_back_sure_more: "Somebody else gets it; what you entered here is dropped.",
  give_back_yes: "Yes, give back",
  give_back_no: "No, go on",
  giving_back: "Giving it back …",
  not_given_back: "Not given back yet",
  ended: "This unit is closed",
  ended_more: "You can go on with another one.",
  ended_returned: "You gave this unit back.",
  ended_timeout: "The time for this unit is over; it was given back.",
  ended_expired: "This unit is no longer needed.",
  paused: "Paused",
  paused_more: "Your work is kept. This page goes on by itself as soon as the service is back.",
  resumed: "You can go on",
};

const SAVED_STATUSES = ["completed", "approved", "soft_rejected", "rejected"];
const RETRY_S_MAX = 30; // the longest pause between two tries
const FAILED_AFTER_TRIES = 5; // from then on the state says so; trying goes on
const ANSWER_WITHIN_S = 45; // the server answers, or says "later", within 30
const SAVE_WITHIN_S = 90; // a submission may be held for 60
const UPLOAD_WITHIN_S = 900; // big files over slow lines
const POLL_S = 10; // how often a waiting or paused page asks when it has no socket
const HEARTBEAT_S = 6;
const HEARTBEATS_MISSED_MAX = 5;
const DRAFT_DAYS_MAX = 30;
const OUTBOX_MAX = 500; // log lines kept for sending; beyond, the oldest goes
const ERRORS_MAX = 5; // error reports per page load
