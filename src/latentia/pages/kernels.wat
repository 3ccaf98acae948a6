{# The sums of products, four values at a time: WebAssembly with loops of Jinja, which
   latentia.pages.assembler turns into bytes. -#}
{% macro more(a, w, x) -%}
  (local.set {{ a }} (f32x4.add (local.get {{ a }}) (f32x4.mul (local.get {{ w }}) (local.get {{ x }}))))
{%- endmacro -%}
{% set four = range(4) -%}
(module
  (import "e" "m" (memory 1))

  ;; Correlation: y[i, r, j] (+)= bias[i] + sum over l of w[i, l] x[r * xrow + offsets[l] + j].
  ;; Weights lie four rows i side by side for each l, and k is even; offsets and steps are in bytes.
  (func (export "correlate")
    (param $w i32) (param $panel i32) (param $k i32) (param $x i32) (param $offsets i32) (param $xrow i32)
    (param $y i32) (param $apart i32) (param $yrow i32) (param $m i32) (param $rows i32) (param $columns i32)
    (param $bias i32) (param $onto i32)
    (local $r i32) (local $i i32) (local $j i32) (local $end i32) (local $o i32) (local $p i32) (local $from i32) (local $t i32) (local $at i32)
    {% for i in four %}(local $q{{ i }} i32) (local $a{{ i }}0 v128) (local $a{{ i }}1 v128) (local $s{{ i }} f32) {% endfor %}
    (local $v0 v128) (local $v1 v128) (local $u v128) (local $f f32)
    (local.set $columns (i32.shl (local.get $columns) (i32.const 2)))
    (local.set $end (i32.add (local.get $offsets) (i32.shl (local.get $k) (i32.const 2))))
    (loop $every_row
      (local.set $j (i32.const 0))
      {% for width in (8, 4, 1) %}{% set halves = range(width // 4) %}
      (block $done{{ width }} (loop $columns{{ width }}
        (br_if $done{{ width }} (i32.gt_u (i32.add (local.get $j) (i32.const {{ 4 * width }})) (local.get $columns)))
        (local.set $i (i32.const 0))
        (local.set $q0 (i32.add (local.get $y) (local.get $j)))
        (local.set $from (i32.add (local.get $x) (local.get $j)))
        (local.set $p (local.get $w))
        (loop $panels{{ width }}
          ;; What stands for rows beyond the last is written where that one is, and before it.
          {% for i in four[1:] %}(local.set $q{{ i }} (i32.add (local.get $q{{ i - 1 }})
            (i32.mul (local.get $apart) (i32.lt_u (i32.add (local.get $i) (i32.const {{ i }})) (local.get $m)))))
          {% endfor %}
          {% for i in four %}{% if width == 1 %}
          (local.set $s{{ i }} (if (result f32) (local.get $onto)
            (then (f32.load (local.get $q{{ i }})))
            (else (f32.load offset={{ 4 * i }} (i32.add (local.get $bias) (i32.shl (local.get $i) (i32.const 2)))))))
          {% endif %}{% for h in halves %}(local.set $a{{ i }}{{ h }} (if (result v128) (local.get $onto)
            (then (v128.load offset={{ 16 * h }} (local.get $q{{ i }})))
            (else (v128.load32_splat offset={{ 4 * i }} (i32.add (local.get $bias) (i32.shl (local.get $i) (i32.const 2)))))))
          {% endfor %}{% endfor %}
          (local.set $o (local.get $offsets))
          (local.set $at (local.get $p))
          (loop $depth{{ width }}
            {% for l in (0, 1) %}(local.set $t (i32.add (i32.load offset={{ 4 * l }} (local.get $o)) (local.get $from)))
            {% if width == 1 %}(local.set $f (f32.load (local.get $t)))
            {% endif %}{% for h in halves %}(local.set $v{{ h }} (v128.load offset={{ 16 * h }} (local.get $t)))
            {% endfor %}{% for i in four %}{% if width == 1 %}
            (local.set $s{{ i }} (f32.add (local.get $s{{ i }}) (f32.mul (local.get $f) (f32.load offset={{ 16 * l + 4 * i }} (local.get $at)))))
            {% else %}(local.set $u (v128.load32_splat offset={{ 16 * l + 4 * i }} (local.get $at)))
            {% for h in halves %}{{ more("$a%d%d" % (i, h), "$u", "$v%d" % h) }}
            {% endfor %}{% endif %}{% endfor %}{% endfor %}
            (local.set $at (i32.add (local.get $at) (i32.const 32)))
            (br_if $depth{{ width }} (i32.lt_u (local.tee $o (i32.add (local.get $o) (i32.const 8))) (local.get $end))))
          {% for i in four | reverse %}{% if width == 1 %}(f32.store (local.get $q{{ i }}) (local.get $s{{ i }}))
          {% endif %}{% for h in halves %}(v128.store offset={{ 16 * h }} (local.get $q{{ i }}) (local.get $a{{ i }}{{ h }}))
          {% endfor %}{% endfor %}
          (local.set $q0 (i32.add (local.get $q3) (local.get $apart)))
          (local.set $p (i32.add (local.get $p) (local.get $panel)))
          (br_if $panels{{ width }} (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $m))))
        (local.set $j (i32.add (local.get $j) (i32.const {{ 4 * width }})))
        (br $columns{{ width }})))
      {% endfor %}
      (local.set $x (i32.add (local.get $x) (local.get $xrow)))
      (local.set $y (i32.add (local.get $y) (local.get $yrow)))
      (br_if $every_row (i32.lt_u (local.tee $r (i32.add (local.get $r) (i32.const 1))) (local.get $rows)))))

  ;; y[j] = b[j] + sum over l of w[j, l] x[l], for m rows of k values.
  (func (export "linear")
    (param $x i32) (param $w i32) (param $b i32) (param $y i32) (param $k i32) (param $m i32)
    (local $j i32) (local $l i32) (local $p i32) (local $whole i32)
    (local $a0 v128) (local $a1 v128) (local $u v128) (local $v v128) (local $s f32)
    (local.set $whole (i32.shl (i32.and (local.get $k) (i32.const -8)) (i32.const 2)))
    (local.set $k (i32.shl (local.get $k) (i32.const 2)))
    (loop $rows
      (local.set $a0 (v128.const 0)) (local.set $a1 (v128.const 0))
      (local.set $l (i32.const 0)) (local.set $p (local.get $x))
      (block $end (loop $eight
        (br_if $end (i32.ge_u (local.get $l) (local.get $whole)))
        {% for h in (0, 1) %}(local.set $u (v128.load offset={{ 16 * h }} (local.get $p)))
        (local.set $v (v128.load offset={{ 16 * h }} (local.get $w)))
        {{ more("$a%d" % h, "$u", "$v") }}
        {% endfor %}
        (local.set $p (i32.add (local.get $p) (i32.const 32)))
        (local.set $w (i32.add (local.get $w) (i32.const 32)))
        (local.set $l (i32.add (local.get $l) (i32.const 32)))
        (br $eight)))
      (local.set $a0 (f32x4.add (local.get $a0) (local.get $a1)))
      (local.set $s (f32.add
        (f32.add (f32x4.extract_lane 0 (local.get $a0)) (f32x4.extract_lane 1 (local.get $a0)))
        (f32.add (f32x4.extract_lane 2 (local.get $a0)) (f32x4.extract_lane 3 (local.get $a0)))))
      (block $last (loop $one
        (br_if $last (i32.ge_u (local.get $l) (local.get $k)))
        (local.set $s (f32.add (local.get $s) (f32.mul (f32.load (local.get $p)) (f32.load (local.get $w)))))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (local.set $w (i32.add (local.get $w) (i32.const 4)))
        (local.set $l (i32.add (local.get $l) (i32.const 4)))
        (br $one)))
      (f32.store (local.get $y) (if (result f32) (local.get $b)
        (then (f32.add (local.get $s) (f32.load (i32.add (local.get $b) (i32.shl (local.get $j) (i32.const 2))))))
        (else (local.get $s))))
      (local.set $y (i32.add (local.get $y) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $m))))))
