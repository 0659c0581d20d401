-- A stage is over: its outcome is recorded, what it held is given back, the chain goes on or settling is due.
-- Keys: task:RUN:TASK, attempt:…, slots, owners, unmerged, watch, money:*, parked, candidate_heads, lengths, intent:…, merges, lock:NAME, events.
-- Args: run, task, attempt, fence, stage, holder, goes on (1/0), outcome (JSON), kind, head,
--       files (JSON list, '' unless known), merge ('' unless there is one), fields of the stage's event (JSON object without braces),
--       tokens, microdollars ('' unknown), account without quota ('' none), until when,
--       seconds to be learned ('' none), lock to be given back ('' none),
--       merge that was proved (JSON; '' none), its commit, data of its event, then the data of its evidence, an event each.
-- Answers 0: the claim was lost; 1; 2: it has ended, and some task waits for a slot.
local run, task, attempt, fence, stage, holder, goes_on, outcome, kind, head, files, merge, fields, tokens, micros, account,
  parked_until, learned, unlock, proof, commit, proved = unpack(ARGV, 1, 22)
local t = load_task(run, task)
local mark = stage .. ' ' .. holder

-- Whoever is offered later fills the slots itself, and finds this one free.
local function ended()
  return redis.call('EXISTS', key('candidate_heads')) == 1 and 2 or 1
end

if current(t, attempt, fence) and t.ended_by == mark then
  return ended() -- the same holder says it again
end
if not holds(t, attempt, fence, stage, holder) then
  return 0
end
local name = attempt_key(t)
redis.call('HSET', name, 'outcome', outcome, 'outcome_' .. stage, outcome)
put(t, 'ended_by', mark)
for i = 23, #ARGV do
  task_event(t, 'evidence', ARGV[i])
end
if proof ~= '' then
  prove(t, proof, commit, proved)
end
if head ~= '' then
  put(t, 'head', head)
  local change = object('repo', str(t.repo), 'paths', files ~= '' and files or t.paths)
  if files ~= '' then
    redis.call('HSET', key('unmerged'), t.member, change)
  else
    redis.call('HSETNX', key('unmerged'), t.member, change) -- an earlier stage may have named the files
  end
end
if merge ~= '' then
  merged(t, merge)
end
if stage == 'implement' then
  redis.call('HSET', name, 'ended_at', STAMP)
  local spent = NOW - number(get(name, 'started_at'))
  task_event(t, 'attempt.ended', '{' .. fields .. ',"seconds":' .. seconds(spent) .. '}')
  settle_money(t, tokens, micros)
  park(t, account, number(parked_until))
elseif stage == 'review' then
  settle_money(t, tokens, micros)
  park(t, account, number(parked_until))
elseif stage == 'verify' then
  task_event(t, 'verdict', '{' .. fields .. '}')
end
release_hold(t)
if kind == 'interrupted' or kind == 'quota' or kind == 'redirected' or kind == 'planned' then
  uncount(t)
end
local next_stage = ({ implement = 'verify', review = 'verify', verify = 'land' })[stage]
if goes_on == '1' and next_stage then
  if t.state ~= STATE_OF[next_stage] then
    move(t, STATE_OF[next_stage])
  end
  open_stage(t, next_stage)
else
  over(t)
end
if stage == 'implement' then
  reconsider(t)
end
if learned ~= '' then
  learn(t.repo, number(learned))
end
if unlock ~= '' then
  give_lock_back(key('lock', unlock), holder)
end
return ended()
