{# What the laboratory's matrices need, four values at a time: WebAssembly with loops of Jinja, which
   latentia.pages.assembler turns into bytes. -#}
{% set four = range(4) -%}
(module
  (import "e" "m" (memory 1))

  ;; c[i, j] = bias[j] + sum over l of a[i, l] b[l, j]. Steps of a from row to row (ai) and from column to column
  ;; (ak) are in bytes, so that a may be the transpose of what lies in memory.
  (func (export "product")
    (param $a i32) (param $ai i32) (param $ak i32) (param $b i32) (param $c i32)
    (param $m i32) (param $n i32) (param $k i32) (param $bias i32)
    (local $i i32) (local $j i32) (local $l i32) (local $p i32) (local $o i32)
    {% for i in four %}(local $q{{ i }} i32) (local $y{{ i }} i32) (local $a{{ i }}0 v128) (local $a{{ i }}1 v128) (local $s{{ i }} f32) {% endfor %}
    (local $v0 v128) (local $v1 v128) (local $u v128) (local $f f32)
    (local.set $n (i32.shl (local.get $n) (i32.const 2)))
    (local.set $q0 (local.get $a))
    (local.set $y0 (local.get $c))
    (loop $panels
      ;; What stands for rows beyond the last is written where that one is, with the same values.
      {% for i in four[1:] %}(local.set $o (i32.lt_u (i32.add (local.get $i) (i32.const {{ i }})) (local.get $m)))
      (local.set $q{{ i }} (i32.add (local.get $q{{ i - 1 }}) (i32.mul (local.get $ai) (local.get $o))))
      (local.set $y{{ i }} (i32.add (local.get $y{{ i - 1 }}) (i32.mul (local.get $n) (local.get $o))))
      {% endfor %}
      (local.set $j (i32.const 0))
      {% for width in (8, 4, 1) %}{% set halves = range(width // 4) %}
      (block $done{{ width }} (loop $columns{{ width }}
        (br_if $done{{ width }} (i32.gt_u (i32.add (local.get $j) (i32.const {{ 4 * width }})) (local.get $n)))
        (local.set $p (i32.add (local.get $bias) (local.get $j)))
        {% for i in four %}{% if width == 1 %}(local.set $s{{ i }} (f32.load (local.get $p)))
        {% endif %}{% for h in halves %}(local.set $a{{ i }}{{ h }} (v128.load offset={{ 16 * h }} (local.get $p)))
        {% endfor %}{% endfor %}
        (local.set $p (i32.add (local.get $b) (local.get $j)))
        (local.set $o (i32.const 0))
        (local.set $l (i32.const 0))
        (loop $depth{{ width }}
          {% if width == 1 %}(local.set $f (f32.load (local.get $p)))
          {% endif %}{% for h in halves %}(local.set $v{{ h }} (v128.load offset={{ 16 * h }} (local.get $p)))
          {% endfor %}{% for i in four %}{% if width == 1 %}
          (local.set $s{{ i }} (f32.add (local.get $s{{ i }}) (f32.mul (local.get $f) (f32.load (i32.add (local.get $q{{ i }}) (local.get $o))))))
          {% else %}(local.set $u (v128.load32_splat (i32.add (local.get $q{{ i }}) (local.get $o))))
          {% for h in halves %}(local.set $a{{ i }}{{ h }} (f32x4.add (local.get $a{{ i }}{{ h }}) (f32x4.mul (local.get $u) (local.get $v{{ h }}))))
          {% endfor %}{% endif %}{% endfor %}
          (local.set $o (i32.add (local.get $o) (local.get $ak)))
          (local.set $p (i32.add (local.get $p) (local.get $n)))
          (br_if $depth{{ width }} (i32.lt_u (local.tee $l (i32.add (local.get $l) (i32.const 1))) (local.get $k))))
        {% for i in four %}{% if width == 1 %}(f32.store (i32.add (local.get $y{{ i }}) (local.get $j)) (local.get $s{{ i }}))
        {% endif %}{% for h in halves %}(v128.store offset={{ 16 * h }} (i32.add (local.get $y{{ i }}) (local.get $j)) (local.get $a{{ i }}{{ h }}))
        {% endfor %}{% endfor %}
        (local.set $j (i32.add (local.get $j) (i32.const {{ 4 * width }})))
        (br $columns{{ width }})))
      {% endfor %}
      (local.set $q0 (i32.add (local.get $q3) (local.get $ai)))
      (local.set $y0 (i32.add (local.get $y3) (local.get $n)))
      (br_if $panels (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $m)))))

  ;; y = max(x, slope x) for n values, rounded up to whole fours; the slope lies in memory.
  (func (export "leaky")
    (param $slope i32) (param $x i32) (param $y i32) (param $n i32)
    (local $i i32) (local $u v128) (local $v v128)
    (local.set $n (i32.shl (local.get $n) (i32.const 2)))
    (local.set $u (v128.load32_splat (local.get $slope)))
    (loop $fours
      (local.set $v (v128.load (i32.add (local.get $x) (local.get $i))))
      (v128.store (i32.add (local.get $y) (local.get $i)) (f32x4.max (local.get $v) (f32x4.mul (local.get $u) (local.get $v))))
      (br_if $fours (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (local.get $n)))))

  ;; y = d where x > 0, slope d elsewhere.
  (func (export "gate")
    (param $slope i32) (param $x i32) (param $d i32) (param $y i32) (param $n i32)
    (local $i i32) (local $u v128) (local $v v128) (local $o v128)
    (local.set $n (i32.shl (local.get $n) (i32.const 2)))
    (local.set $u (v128.load32_splat (local.get $slope)))
    (loop $fours
      (local.set $v (v128.load (i32.add (local.get $d) (local.get $i))))
      (v128.store (i32.add (local.get $y) (local.get $i)) (v128.bitselect
        (local.get $v) (f32x4.mul (local.get $u) (local.get $v))
        (f32x4.gt (v128.load (i32.add (local.get $x) (local.get $i))) (local.get $o))))
      (br_if $fours (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (local.get $n))))))
