-- once
-- Stores one part of the audit; the first one wins, and none is taken once the audit is over.
-- Keys: run:RUN, parts:RUN. Args: run, part, result (JSON), data of the event.
local run, part, result, data = unpack(ARGV)
local state = get(key('run', run), 'state')
if state == '' then
  refuse('RUN', run)
end
if state ~= 'auditing' or redis.call('HSETNX', key('parts', run), part, result) == 0 then
  return 0
end
event(run, 'audit.part', {}, data)
return 1
