;; The loop of ascend.ts, on the memory of scratch.ts; addresses in bytes. `npm run kernels` compiles this file to ascend-wasm.ts.
(module
  (import "scratch" "memory" (memory 1))

  ;; A step of Adam upwards for slopes, four places at a time; $end is where the last slope ends, and arrays go on for up to three places more.
  ;; Places of another kind than 2 stay as they are.
  (func (export "ascend")
    (param $slopes i32) (param $end i32) (param $kinds i32) (param $first i32) (param $second i32) (param $coefficients i32) (param $values i32)
    (param $rate f32) (param $secondScale f32)
    (param $keepFirst f32) (param $gainFirst f32) (param $keepSecond f32) (param $gainSecond f32) (param $floor f32)
    (local $isOpen v128) (local $h v128) (local $g v128) (local $m v128) (local $v v128) (local $slope v128)
    (block $done
      (loop $fours
        (br_if $done (i32.ge_u (local.get $slopes) (local.get $end)))
        (local.set $isOpen
          (i32x4.eq
            (i32x4.extend_low_i16x8_s (i16x8.extend_low_i8x16_s (v128.load32_zero (local.get $kinds))))
            (v128.const i32x4 2 2 2 2)))
        (if (v128.any_true (local.get $isOpen))
          (then
            (local.set $h (v128.load (local.get $coefficients)))
            ;; NaN is not above 0.
            (local.set $g
              (v128.and
                (f32x4.mul (local.get $h) (v128.load (local.get $values)))
                (f32x4.gt (local.get $h) (v128.const f32x4 0 0 0 0))))
            (local.set $m
              (f32x4.add
                (f32x4.mul (f32x4.splat (local.get $keepFirst)) (v128.load (local.get $first)))
                (f32x4.mul (f32x4.splat (local.get $gainFirst)) (local.get $g))))
            (local.set $v
              (f32x4.add
                (f32x4.mul (f32x4.splat (local.get $keepSecond)) (v128.load (local.get $second)))
                (f32x4.mul (f32x4.splat (local.get $gainSecond)) (f32x4.mul (local.get $g) (local.get $g)))))
            (v128.store (local.get $first)
              (v128.bitselect (local.get $m) (v128.load (local.get $first)) (local.get $isOpen)))
            (v128.store (local.get $second)
              (v128.bitselect (local.get $v) (v128.load (local.get $second)) (local.get $isOpen)))
            (local.set $slope (v128.load (local.get $slopes)))
            ;; NaN stays, as minimum and maximum keep it.
            (v128.store (local.get $slopes)
              (v128.bitselect
                (f32x4.min
                  (f32x4.max
                    (f32x4.add
                      (local.get $slope)
                      (f32x4.div
                        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $m))
                        (f32x4.add
                          (f32x4.sqrt (f32x4.mul (local.get $v) (f32x4.splat (local.get $secondScale))))
                          (f32x4.splat (local.get $floor)))))
                    (v128.const f32x4 0 0 0 0))
                  (v128.const f32x4 1 1 1 1))
                (local.get $slope)
                (local.get $isOpen)))))
        (local.set $slopes (i32.add (local.get $slopes) (i32.const 16)))
        (local.set $kinds (i32.add (local.get $kinds) (i32.const 4)))
        (local.set $first (i32.add (local.get $first) (i32.const 16)))
        (local.set $second (i32.add (local.get $second) (i32.const 16)))
        (local.set $coefficients (i32.add (local.get $coefficients) (i32.const 16)))
        (local.set $values (i32.add (local.get $values) (i32.const 16)))
        (br $fours))))
)
