-- once
-- Puts a message into the mailbox of a task. The same id is put in once, whoever repeats it.
-- A full one still takes what the engine has to say: a person who wrote a lot must not keep a member from its blockers' word.
-- Keys: task:RUN:TASK, mail:RUN:TASK, mail_ids:RUN:TASK, events. Args: run, task, id, sender, topic, text, messages at most.
-- Answers what became of it (sent, known, full, ended), and its number.
local run, task, id, sender, topic, text, limit = unpack(ARGV)
local t = need_task(run, task)
local known = redis.call('HGET', key('mail_ids', run, task), id)
if known then
  return { 'known', tonumber(known) }
end
if t.state == 'completed' or t.state == 'cancelled' or t.state == 'discarded' then
  return { 'ended', 0 }
end
local count = redis.call('LLEN', key('mail', run, task))
if topic == 'person' and count >= tonumber(limit) then
  return { 'full', 0 }
end
local number = int(count + 1)
redis.call('RPUSH', key('mail', run, task), object('number', number, 'sender', str(sender), 'topic', str(topic),
  'text', str(text), 'at', STAMP))
redis.call('HSET', key('mail_ids', run, task), id, number)
task_event(t, 'message.sent', object('number', number, 'from', str(sender), 'topic', str(topic), 'text', str(text)))
return { 'sent', tonumber(number) }
