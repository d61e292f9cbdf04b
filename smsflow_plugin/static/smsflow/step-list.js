/* A list of steps whose picker does not offer "Step that is not installed": it can only be kept. */
(() => {
  const { StreamBlockDefinition } = window.wagtailStreamField.blocks;

  class StepListDefinition extends StreamBlockDefinition {
    constructor(name, groups, initialStates, meta) {
      super(name, groups, initialStates, meta);
      // the definitions by name are built by now; only the picker reads the groups
      this.groupedChildBlockDefs = groups.map(([group, blocks]) => [
        group,
        blocks.filter((block) => block.name !== meta.keptType),
      ]);
    }
  }

  /* A way of a step: a list that all ways of its level share, under a name and a label of its own. */
  class WayDefinition extends StreamBlockDefinition {
    constructor(name, steps, meta) {
      super(name, steps.groupedChildBlockDefs, steps.initialChildStates, { ...steps.meta, ...meta });
      // the shared list also knows the kept type, which its picker leaves out
      this.childBlockDefsByName = steps.childBlockDefsByName;
    }
  }

  window.telepath.register('smsflow.StepList', StepListDefinition);
  window.telepath.register('smsflow.Way', WayDefinition);
})();
