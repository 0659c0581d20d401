-- A heartbeat. An ended lease is not renewed: somebody may already act on its end.
-- Keys: task:RUN:TASK, run:RUN, slots, owners, watch. Args: run, task, attempt, fence, stage, holder, lease. Answers ok, stop.
local run, task, attempt, fence, stage, holder, lease = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, stage, holder) or NOW >= number(t.lease_until) then
  return { 0, '' }
end
put(t, 'lease_until', seconds(NOW + number(lease)))
redis.call('ZADD', key('watch'), t.lease_until, t.member)
if t.slot ~= '' then
  write_hold(t)
end
return { 1, stop_of(t) }
