# A turn of load/compare, as table.awk reads it. In: case, name, what wrk.lua prints, ticks before and after, ticks a second.
$3 - $6 <= 0 { exit 1 }
{
  answers = $3 - $6
  micros = 1e6 / $13 / answers
  printf "%s %s requests/s=%.0f p99_ms=%.1f non_2xx=%d service_us=%.1f broker_us=%.1f database_us=%.1f\n",
    $1, $2, answers / $4 * 1e6, $5 / 1000, $6, ($10 - $7) * micros, ($11 - $8) * micros, ($12 - $9) * micros
}
