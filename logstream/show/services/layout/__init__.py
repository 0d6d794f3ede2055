"""Where the services of a map stand: layers from callers at the left to what they call.

Pure and deterministic: the same services and calls have the same places, in whatever order
they come. After K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of
hierarchical system structures" (1981): break cycles, choose layers, order them for few
crossings, then choose coordinates.

    gateway ─┬─▶ cart ─────▶ stock
             └─▶ checkout ─┬─▶ payment
                           └─▶ (orders)      lone, lone, lone
"""
